import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Contender } from './contenders.js';

const BOOT_SECONDS = 60;
const ANSWER_SECONDS = 10;
const STOP_SECONDS = 10;

const listening = z.object({ port: z.int().positive(), key: z.string().optional() });
const used = z.object({ cpuMicroseconds: z.int() });

/** A server under test in a process of its own. */
export class ServerProcess {
  private constructor(
    readonly contender: Contender,
    private readonly child: ChildProcess,
  ) {}

  /** Starts the process; what it prints goes to standard error. `profiles`: a folder for its CPU profile. */
  static start(contender: Contender, profiles: string | undefined): ServerProcess {
    const { entry, settings, id, tools } = contender;
    const file = fileURLToPath(new URL(entry, import.meta.url));
    const name = `${id}-${tools}.cpuprofile`;
    const execArgv =
      profiles === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', profiles, '--cpu-prof-name', name];
    const child = fork(file, [JSON.stringify(settings)], { execArgv, stdio: ['ignore', 2, 2, 'ipc'] });
    return new ServerProcess(contender, child);
  }

  /**
   * Where it listens, and an API key that is good there when it takes any.
   *
   * @throws Error when it ended, or took too long
   */
  async listening(): Promise<z.infer<typeof listening>> {
    const said = await this.message(BOOT_SECONDS, 'did not start');
    return listening.parse(said);
  }

  /** Processor time it has used so far, in microseconds. */
  async cpuMicroseconds(): Promise<number> {
    const said = this.message(ANSWER_SECONDS, 'does not answer any more');
    this.child.send('cpu');
    return used.parse(await said).cpuMicroseconds;
  }

  /** Asks it to end, and makes it end when it does not. */
  async stop(): Promise<void> {
    if (this.hasEnded()) return;
    const ended = once(this.child, 'exit');
    const patience = setTimeout(() => this.child.kill('SIGKILL'), STOP_SECONDS * 1000);
    if (this.child.connected) this.child.disconnect();
    await ended;
    clearTimeout(patience);
  }

  /** What it says next. Rejects with `otherwise` in the message when it ends or takes too long instead. */
  private async message(seconds: number, otherwise: string): Promise<unknown> {
    const settled = new AbortController();
    const signal = AbortSignal.any([settled.signal, AbortSignal.timeout(seconds * 1000)]);
    try {
      const message = once(this.child, 'message', { signal });
      const exit = once(this.child, 'exit', { signal }).then(() => Promise.reject(new Error('It ended.')));
      const [said]: unknown[] = await Promise.race([message, exit]);
      return said;
    } catch (error) {
      const { label, tools } = this.contender;
      throw new Error(`"${label}" with ${tools} tools ${otherwise}; its own words are above.`, {
        cause: error,
      });
    } finally {
      settled.abort();
    }
  }

  private hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }
}
