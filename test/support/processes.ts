import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { eventually } from './eventually.js';

const LOADER = new URL('typescript-register.mjs', import.meta.url).href;
const CLI = new URL('../../libs/sallyport/src/cli/main.ts', import.meta.url).pathname;
const APPLICATION = new URL('audited.application.ts', import.meta.url).pathname;
const SERVER = new URL('audited-server.main.ts', import.meta.url).pathname;

/** What a process is told of the world. */
export type Environment = Readonly<Record<string, string>>;

/** A process of the sources, and what it has said so far. */
export class SourceProcess {
  out = '';
  err = '';
  private readonly child: ChildProcess;
  private readonly exited: Promise<unknown>;

  private constructor(file: string, words: readonly string[], environment: Environment) {
    this.child = spawn(process.execPath, ['--import', LOADER, file, ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'] ?? '', ...environment },
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.out += text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.err += text));
    this.exited = once(this.child, 'close');
  }

  /** `sallyport …`, on the audited application. */
  static command(words: readonly string[], environment: Environment): SourceProcess {
    return new SourceProcess(CLI, ['--app', APPLICATION, ...words], environment);
  }

  /** Another file of this directory. */
  static main(file: string, environment: Environment): SourceProcess {
    return new SourceProcess(new URL(file, import.meta.url).pathname, [], environment);
  }

  /** The audited application, served. */
  static async server(environment: Environment): Promise<SourceProcess & { url: string }> {
    const server = new SourceProcess(SERVER, [], environment);
    await eventually(
      () => Promise.resolve(server),
      ({ out, code }) => out.includes('listening on ') || code !== null,
    );
    const url = /listening on (\S+)/.exec(server.out)?.[1];
    if (url === undefined) throw new Error(`The server did not start: ${server.out}${server.err}`);
    return Object.assign(server, { url });
  }

  get code(): number | null {
    return this.child.exitCode;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Its exit code. */
  async ended(): Promise<number | null> {
    await this.exited;
    return this.child.exitCode;
  }

  get lines(): string[] {
    return this.out.split('\n').filter((line) => line !== '');
  }
}

/** Runs a command to its end. */
export async function runCommand(
  words: readonly string[],
  environment: Environment,
): Promise<{ code: number | null; out: string; err: string }> {
  const command = SourceProcess.command(words, environment);
  const code = await command.ended();
  return { code, out: command.out, err: command.err };
}
