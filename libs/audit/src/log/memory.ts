import { setTimeout as sleep } from 'node:timers/promises';

import type { OpenedCheckpoint } from './log-keys.js';

/** What a place outside of the database says of what was signed. */
export interface Memory {
  /** For messages. */
  readonly name: string;
  readonly kind: 'state' | 'publisher';
  /** The newest note that it holds, or held when it answered last. */
  readonly note: string | undefined;
  /** Why it cannot say now; a sentence for the operator. `undefined`: it has answered. */
  readonly failure: string | undefined;
}

/** A {@link Memory} whose note was opened. */
export interface OpenedMemory extends Memory {
  readonly checkpoint: OpenedCheckpoint | undefined;
}

/** What there is to compare the newest checkpoint of the database with. */
export interface Recollection {
  /** The newest checkpoint in the database that a known key signed. */
  readonly newest: OpenedCheckpoint | undefined;
  /** What this process signed last. */
  readonly own: OpenedCheckpoint | undefined;
  /** `undefined`: none is configured. */
  readonly state: OpenedMemory | undefined;
  readonly publishers: readonly OpenedMemory[];
}

/**
 * Why what is remembered outside of the database does not suffice to sign on; `undefined`: it does. Whoever restores an
 * older database counts on nobody remembering, so silence is no consent.
 */
export function missingMemory(recollection: Recollection): string | undefined {
  const { newest, own, state, publishers } = recollection;
  // As new as the newest checkpoint: nobody else has signed since.
  if ([own, state?.checkpoint].some((known) => covers(known, newest))) return undefined;
  const silent = publishers.filter(({ failure }) => failure !== undefined);
  if (silent.length > 0) return unanswered(silent);
  if (newest === undefined || own !== undefined) return undefined;
  if (state?.failure !== undefined) return state.failure;
  if (state === undefined)
    return publishers.length > 0 && publishers.every(isEmpty) ? lost(recollection, newest) : undefined;
  // Another server has signed since, and its checkpoints are in the database.
  if (state.checkpoint !== undefined) return undefined;
  return publishers.some(({ checkpoint }) => covers(checkpoint, newest))
    ? undefined
    : lost(recollection, newest);
}

function covers(known: OpenedCheckpoint | undefined, newest: OpenedCheckpoint | undefined): boolean {
  return known !== undefined && known.size >= (newest?.size ?? 0);
}

function isEmpty({ checkpoint }: OpenedMemory): boolean {
  return checkpoint === undefined;
}

function unanswered(silent: readonly OpenedMemory[]): string {
  const [{ failure = '' } = {}] = silent;
  return (
    `${listed(silent)} may remember more than this database, and ${silent.length === 1 ? 'has' : 'have'} not answered: ${failure} ` +
    'It goes on by itself once every publisher has answered. If one of them is gone for good, take it out of audit.log.publish, ' +
    'name a file in audit.log.state, and run sallyport audit remember.'
  );
}

function lost({ state, publishers }: Recollection, { size, signedAt }: OpenedCheckpoint): string {
  const what =
    state === undefined
      ? `${listed(publishers)} ${publishers.length === 1 ? 'holds' : 'hold'} nothing of this log`
      : `${capital(state.name)} is not there`;
  const when = signedAt === undefined ? '' : `, signed at ${new Date(signedAt).toISOString()}`;
  return (
    `${what}, and the database has a checkpoint of ${size} records${when}: what was remembered was lost, moved, or never here, ` +
    'so nothing shows whether this database is the one that was signed last. Bring it back. If it is gone (another disk, ' +
    `another server), compare that checkpoint with what you know, and run sallyport audit remember --size ${size}.`
  );
}

function listed(memories: readonly Memory[]): string {
  return capital(memories.map(({ name }) => name).join(', '));
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** How long anybody waits for a place outside of the database. */
export const ANSWER_MS = 5000;

/** @throws Error when it takes longer than {@link ANSWER_MS}, and what it throws */
export function inTime<T>(answer: Promise<T>): Promise<T> {
  const stop = new AbortController();
  const late = sleep(ANSWER_MS, undefined, { ref: false, signal: stop.signal }).then(() => {
    throw new Error('It did not answer in time.');
  });
  return Promise.race([answer, late]).finally(() => stop.abort());
}

/** What a place says, whatever it does: never rejects, and takes no longer than {@link ANSWER_MS}. */
export async function asked(
  { name, kind }: Pick<Memory, 'name' | 'kind'>,
  read: () => Promise<string | undefined>,
): Promise<Memory> {
  try {
    return { name, kind, note: await inTime(read()), failure: undefined };
  } catch (error) {
    return { name, kind, note: undefined, failure: messageOf(error) };
  }
}

/** Of drivers, publishers and files: for the operator only. */
export function messageOf(error: unknown): string {
  const message: unknown =
    typeof error === 'object' && error !== null ? Reflect.get(error, 'message') : undefined;
  return typeof message === 'string' ? message : 'Something that is no error was thrown.';
}
