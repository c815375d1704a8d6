import { renameSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { INestApplicationContext } from '@nestjs/common';
import { compareLocks, differenceText, isUnchanged, lockText } from '@sallyport/policy';
import { errorCodeOf } from '@sallyport/store';
import { lockOfApplication } from '../application-surface.js';
import { LOCK_FILE, readLockFile } from '../policy-lock.js';
import { SALLYPORT_OPTIONS, type SallyportOptions } from '../sallyport.options.js';
import { CliError } from './cli-error.js';

/** Options of `policy lock` and `policy check`, as commander hands them over. */
export interface PolicyLockCommandOptions {
  /** Default: the file of the option `lock` of the application, or `sallyport.lock.json`. */
  readonly file?: string;
  readonly json?: boolean;
}

/** Writes what the application serves to its lock file, for review. */
export function writePolicyLock(
  context: INestApplicationContext,
  { file }: PolicyLockCommandOptions,
): string {
  const path = fileOf(context, file);
  const lock = lockOfApplication(context);
  write(path, lockText(lock));
  return `${path}: ${lock.entries.length} entries. Commit it; sallyport policy check says what differs from it.`;
}

/** What a check prints, and whether everything is as it was reviewed. */
export interface Checked {
  readonly text: string;
  readonly unchanged: boolean;
}

/**
 * Compares what the application serves with its lock file, and says who gains what.
 *
 * @throws PolicyLockError when there is no lock that can be read
 */
export function checkPolicyLock(
  context: INestApplicationContext,
  { file, json }: PolicyLockCommandOptions,
): Checked {
  const path = fileOf(context, file);
  const difference = compareLocks(readLockFile(path), lockOfApplication(context));
  const unchanged = isUnchanged(difference);
  if (json === true)
    return { text: JSON.stringify({ file: path, unchanged, ...difference }, null, 2), unchanged };
  if (unchanged) return { text: `Nothing differs from ${path}.`, unchanged };
  const advice = `This is not what was reviewed in ${path}. If it is what you want: sallyport policy lock --file ${path}`;
  return { text: `${differenceText(difference)}\n\n${advice}`, unchanged };
}

function fileOf(context: INestApplicationContext, file: string | undefined): string {
  const { lock } = context.get<SallyportOptions>(SALLYPORT_OPTIONS, { strict: false });
  return file ?? lock?.file ?? LOCK_FILE;
}

/** In one step: whoever reads it meanwhile reads the old one or the new one. */
function write(path: string, text: string): void {
  const file = resolve(path);
  const draft = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(draft, text);
    renameSync(draft, file);
  } catch (error) {
    const code = errorCodeOf(error) ?? 'no code';
    throw new CliError(`The lock file ${path} cannot be written (${code}): name another with --file.`);
  }
}
