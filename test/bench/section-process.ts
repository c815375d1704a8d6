import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import type { BenchRun } from './bench.js';

/** A section that is measured within a process of its own. */
export interface SectionProcess<T> {
  /** Entry file in `sections`, and the name of its CPU profile. */
  readonly name: string;
  /** The only argument of the process, as JSON. */
  readonly settings: object;
  /** What it sends when it is done. */
  readonly result: z.ZodType<T>;
}

/**
 * Runs it, and gives what it reports. The process ends when it has been heard, or when the bench does.
 *
 * @throws Error when it ends without a report; the reason of the signal when that is aborted
 */
export async function runSection<T>(
  { name, settings, result }: SectionProcess<T>,
  { profiles, signal, progress }: Pick<BenchRun, 'profiles' | 'signal' | 'progress'>,
): Promise<T> {
  signal.throwIfAborted();
  const file = fileURLToPath(new URL(`./sections/${name}.main.js`, import.meta.url));
  const execArgv = profiles === undefined ? [] : profiling(name, profiles);
  const child = fork(file, [JSON.stringify(settings)], { execArgv, stdio: ['ignore', 2, 2, 'ipc'] });
  const ended = once(child, 'exit');
  const stop = () => child.kill('SIGKILL');
  signal.addEventListener('abort', stop);
  try {
    return result.parse(await reportOf(child, name, progress));
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    if (child.connected) child.disconnect();
    await ended;
    signal.removeEventListener('abort', stop);
  }
}

function profiling(name: string, profiles: string): string[] {
  return ['--cpu-prof', '--cpu-prof-dir', profiles, '--cpu-prof-name', `${name}.cpuprofile`];
}

/** The first message that is no text: texts say how far it is. */
function reportOf(child: ChildProcess, name: string, progress: (line: string) => void): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.on('message', (said: unknown) => {
      if (typeof said === 'string') progress(said);
      else resolve(said);
    });
    child.once('error', reject);
    child.once('exit', () =>
      reject(new Error(`The section "${name}" ended without a report; its own words are above.`)),
    );
  });
}
