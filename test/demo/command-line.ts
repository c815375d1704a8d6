import { execFile } from 'node:child_process';
import { builtFile } from '../support/server-process.js';

/** What a command printed, and its exit code. */
export interface Printed {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

type Environment = Readonly<Record<string, string>>;

const MOST_BYTES = 16 * 1024 * 1024;

/** Runs `sallyport` in these surroundings, whatever its exit code. */
export function sallyport(env: Environment, parameters: readonly string[], app = 'src/app.module.js') {
  const cli = builtFile('libs/sallyport/src/cli/main.js');
  const whole = [cli, '--app', builtFile(app), ...parameters];
  return new Promise<Printed>((resolve, reject) => {
    execFile(process.execPath, whole, { env: { ...env }, maxBuffer: MOST_BYTES }, (failure, out, error) => {
      const code = failure === null ? 0 : failure.code;
      if (typeof code === 'number') resolve({ code, out, error });
      else reject(new Error(`sallyport ${parameters.join(' ')} did not end by itself.`, { cause: failure }));
    });
  });
}

/** What it printed; what fails stops the story. */
export async function printed(
  env: Environment,
  parameters: readonly string[],
  app?: string,
): Promise<string> {
  const { code, out, error } = await sallyport(env, parameters, app);
  if (code !== 0) throw new Error(`sallyport ${parameters.join(' ')} ended with ${code}: ${error}${out}`);
  return out;
}

/** As `Promise.all`, and when one fails, the others have ended as well: their files are about to be deleted. */
export async function together<T extends readonly Promise<unknown>[]>(
  work: readonly [...T],
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(work);
  return Promise.all(work);
}
