import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';
import { compiledSources } from './compiled-sources.js';
import { Deferred, eventually } from './eventually.js';
import { send, type Answer, type Request } from './messages.js';
import type { WatchedServerOptions } from './watched-server.main.js';

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const running = new Set<WatchedServer>();

/** A server as a process of its own, which a test may kill at any time. */
export class WatchedServer {
  readonly #url = new Deferred<string | undefined>();
  readonly #ended = new Deferred<Ending>();
  #output = '';

  private constructor(private readonly child: ChildProcessWithoutNullStreams) {
    running.add(this);
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => this.#hear(text));
    // What is written to a process that was just killed goes nowhere.
    child.stdin.on('error', () => undefined);
    child.once('close', (code, signal) => {
      running.delete(this);
      this.#url.resolve(undefined);
      this.#ended.resolve({ code, signal });
    });
  }

  /** Spawns it, and does not wait until it listens. */
  static async spawn(options: WatchedServerOptions): Promise<WatchedServer> {
    const main = join(await compiledSources(), 'test/support/watched-server.main.js');
    const env = { PATH: process.env['PATH'], OPTIONS: JSON.stringify(options) };
    return new WatchedServer(spawn(process.execPath, [main], { env }));
  }

  /** @throws Error with what it said, when it does not come to listen */
  static async start(options: WatchedServerOptions): Promise<WatchedServer> {
    const server = await WatchedServer.spawn(options);
    if ((await server.url) === undefined) throw new Error(`The server did not start: ${server.output}`);
    return server;
  }

  /** Where it listens; `undefined` when it ended before. */
  get url(): Promise<string | undefined> {
    return this.#url.promise;
  }

  get ended(): Promise<Ending> {
    return this.#ended.promise;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** All it has said. */
  get output(): string {
    return this.#output;
  }

  /** `undefined`: nobody answered, because it is gone, or went away meanwhile. */
  async send(request: Request): Promise<Answer | undefined> {
    const url = await this.url;
    if (url === undefined) return undefined;
    return send(url, request).catch((error: unknown) => {
      if (isOfFetch(error)) return undefined;
      throw error;
    });
  }

  /** Until so many calls are where they stop. */
  async stopped(calls: number): Promise<void> {
    await eventually(
      async () => this.output.match(/^at /gm)?.length ?? 0,
      (count) => count >= calls,
    );
  }

  /** Until it knows that it has to end. */
  async toldToEnd(): Promise<void> {
    await eventually(
      async () => this.output,
      (output) => output.includes('told to end') || this.hasEnded,
    );
  }

  /** Lets the calls that stopped go on. */
  goOn(): void {
    this.child.stdin.write('go on\n');
  }

  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.child.kill(signal);
  }

  async kill(): Promise<Ending> {
    this.signal('SIGKILL');
    return this.ended;
  }

  /** Tells it to end, and waits until it has. */
  async terminate(): Promise<Ending> {
    this.signal('SIGTERM');
    return this.ended;
  }

  /** For `afterAll`: what a failed test has left running. */
  static async killAll(): Promise<void> {
    await Promise.all([...running].map((server) => server.kill()));
  }

  #hear(text: string): void {
    this.#output += text;
    const url = /listening on (\S+)/.exec(this.#output)?.[1];
    if (url !== undefined) this.#url.resolve(url.replace('[::1]', '127.0.0.1'));
  }
}

/** By name: in Jest, `fetch` throws the TypeError of another realm. */
function isOfFetch(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'TypeError';
}
