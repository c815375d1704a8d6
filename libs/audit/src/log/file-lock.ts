import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { errorCodeOf } from '@sallyport/store';

/** Whoever holds it does so for some milliseconds. */
const STALE_MS = 10_000;
const PATIENCE_MS = 15_000;
const POLL_MS = 20;

/**
 * Runs the work while no other process does so for the same path: by a file beside it, `….lock`, that is created by one.
 * One that a killed process has left is taken away, at once on the same machine, and elsewhere after ten seconds.
 *
 * @param work is told how to ask whether the lock is still its own: a process that stood still for long has lost it
 * @throws Error when it is held for too long; and what the work throws
 */
export async function withFileLock<T>(
  path: string,
  work: (isHeld: () => Promise<boolean>) => Promise<T>,
): Promise<T> {
  const lock = `${path}.lock`;
  const token = `${hostname()} ${process.pid} ${randomBytes(8).toString('hex')}`;
  const isHeld = async () => (await contentOf(lock)) === token;
  await mkdir(dirname(path), { recursive: true });
  await take(lock, token);
  try {
    return await work(isHeld);
  } finally {
    if (await isHeld()) await rm(lock, { force: true });
  }
}

async function take(lock: string, token: string): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  while (!(await create(lock, token))) {
    await removeStale(lock);
    if (performance.now() > until)
      throw new Error(`${lock} is held by another process. If there is none, remove that file.`);
    await sleep(POLL_MS);
  }
}

/** With its content from the beginning on: a lock without an owner could not be told from one that was left. */
async function create(lock: string, token: string): Promise<boolean> {
  const draft = `${lock}.${randomBytes(6).toString('hex')}`;
  try {
    const file = await open(draft, 'wx', 0o600);
    await file.writeFile(token).finally(() => file.close());
    await link(draft, lock);
    return true;
  } catch (error) {
    if (errorCodeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function removeStale(lock: string): Promise<void> {
  const owner = await contentOf(lock);
  if (owner === undefined || !(await isStale(lock, owner))) return;
  // Moved away before it is looked at again: of several processes that find it stale one gets it.
  const aside = `${lock}.${randomBytes(6).toString('hex')}`;
  if (!(await happened(rename(lock, aside)))) return;
  // Somebody else was faster, and this one is theirs.
  if ((await contentOf(aside)) !== owner) await happened(link(aside, lock));
  await rm(aside, { force: true });
}

async function isStale(lock: string, owner: string): Promise<boolean> {
  const [host, pid = ''] = owner.split(' ');
  if (host === hostname() && /^\d+$/.test(pid) && !isAlive(Number(pid))) return true;
  const made = await stat(lock).catch(() => undefined);
  return made !== undefined && Date.now() - made.mtimeMs > STALE_MS;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCodeOf(error) !== 'ESRCH';
  }
}

async function contentOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

/** Whether it was done; `false`: another process was faster. */
async function happened(work: Promise<void>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}
