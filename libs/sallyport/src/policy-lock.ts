import { AsyncLocalStorage } from 'node:async_hooks';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Logger } from '@nestjs/common';
import type { Problem } from '@sallyport/mcp';
import {
  compareLocks,
  differenceText,
  isUnchanged,
  lockOf,
  PolicyLockError,
  readLock,
  type LockDifference,
  type PolicyLock,
  type Surface,
} from '@sallyport/policy';
import { errorCodeOf } from '@sallyport/store';
import { policyOptions } from './policy-options.js';
import type { SallyportOptions } from './sallyport.options.js';

/** Where a lock is kept when nothing else is said. */
export const LOCK_FILE = 'sallyport.lock.json';

/** The reviewed surface that a server compares itself with before it serves. */
export interface PolicyLockOptions {
  /** Written by `sallyport policy lock`, relative to the working directory of the process. */
  readonly file: string;
  /** What to do when entries, policies or descriptions differ from it. Default: `refuse`. A file that cannot be read refuses always. */
  readonly onDifference?: 'refuse' | 'warn';
}

/** What a server serves: its entries, and which of their arguments have values proposed. */
export type Served = Pick<Surface, 'entries' | 'completions'>;

/** The lock of what is served with these options. */
export function surfaceLock(options: SallyportOptions, served: Served): PolicyLock {
  const { instructions } = options;
  return lockOf({ ...served, policy: policyOptions(options), instructions });
}

/**
 * Reads the lock in a file.
 *
 * @throws PolicyLockError with a sentence that says which command to run
 */
export function readLockFile(file: string): PolicyLock {
  return readLock(textOf(file), file);
}

/** From the lock in a file to what is served now. @throws PolicyLockError when there is none that can be read */
export function differenceFrom(file: string, now: PolicyLock): LockDifference {
  return compareLocks(readLockFile(file), now);
}

/** What stops a server whose surface is not what was reviewed; logs it instead where that was asked for. */
export function lockProblems(options: SallyportOptions, served: Served): Problem[] {
  const { lock } = options;
  if (lock === undefined || isUnlocked()) return [];
  try {
    const difference = differenceFrom(lock.file, surfaceLock(options, served));
    if (isUnchanged(difference)) return [];
    const message = differenceMessage(lock.file, difference);
    if (lock.onDifference !== 'warn') return [{ code: 'policy_lock', message }];
    new Logger('Sallyport').warn(message);
    return [];
  } catch (error) {
    if (!(error instanceof PolicyLockError)) throw error;
    return [{ code: 'policy_lock', message: error.message }];
  }
}

/** What is wrong with the option itself. */
export function lockOptionProblems({ lock }: SallyportOptions): Problem[] {
  if (lock === undefined) return [];
  const given: unknown = lock;
  if (typeof given === 'object' && given !== null && isLockOption({ ...given })) return [];
  const message = `lock is no lock: write lock: { file: '${LOCK_FILE}', onDifference: 'refuse' }, or 'warn'.`;
  return [{ code: 'policy_lock', message }];
}

/**
 * Opens an application to look at it: what is not what was reviewed must still be seen and locked anew. For the
 * `sallyport` command, which serves nobody.
 */
export function withoutLock<T>(work: () => T): T {
  return unlocked.run(true, work);
}

const unlocked = new AsyncLocalStorage<true>();

function isUnlocked(): boolean {
  return unlocked.getStore() === true;
}

function isLockOption({ file, onDifference = 'refuse', ...rest }: Record<string, unknown>): boolean {
  const known = onDifference === 'refuse' || onDifference === 'warn';
  return typeof file === 'string' && file !== '' && known && Object.keys(rest).length === 0;
}

/** What differs and what to do about it, for whoever starts the server. */
export function differenceMessage(file: string, difference: LockDifference): string {
  const findings = differenceText(difference)
    .split('\n')
    .map((line) => `      ${line}`);
  return [
    `This server is not what was reviewed in ${file}:`,
    ...findings,
    `    If it is what you want, write it down for review: sallyport policy lock --file ${file}`,
  ].join('\n');
}

function textOf(file: string): string {
  try {
    return readFileSync(resolve(file), 'utf8');
  } catch (error) {
    const code = errorCodeOf(error);
    throw new PolicyLockError(
      code === 'ENOENT'
        ? `There is no lock file ${file} here: write it with: sallyport policy lock --file ${file}`
        : `The lock file ${file} cannot be read (${code ?? 'no code'}): name another, or correct its permissions.`,
    );
  }
}
