import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Contender } from './contenders.js';

const BOOT_SECONDS = 60;
const STOP_SECONDS = 10;

const report = z.object({ port: z.int().positive() });

/** A server under test in a process of its own. */
export class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    private readonly label: string,
  ) {}

  /** Starts the process; what it prints goes to standard error. `profiles`: a folder for its CPU profile. */
  static start({ entry, settings, id, tools }: Contender, profiles: string | undefined): ServerProcess {
    const file = fileURLToPath(new URL(entry, import.meta.url));
    const label = `${id} with ${tools} tools`;
    const name = `${id}-${tools}.cpuprofile`;
    const execArgv =
      profiles === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', profiles, '--cpu-prof-name', name];
    const child = fork(file, [JSON.stringify(settings)], { execArgv, stdio: ['ignore', 2, 2, 'ipc'] });
    return new ServerProcess(child, label);
  }

  /**
   * The port it listens on.
   *
   * @throws Error when it ended, or took too long
   */
  async port(): Promise<number> {
    const settled = new AbortController();
    const signal = AbortSignal.any([settled.signal, AbortSignal.timeout(BOOT_SECONDS * 1000)]);
    try {
      const message = once(this.child, 'message', { signal });
      const exit = once(this.child, 'exit', { signal }).then(() => []);
      const [said]: unknown[] = await Promise.race([message, exit]);
      return report.parse(said).port;
    } catch (error) {
      throw new Error(`The server "${this.label}" did not start; its own words are above.`, { cause: error });
    } finally {
      settled.abort();
    }
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

  private hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }
}
