import type { LogKeys, OpenedCheckpoint } from '../log-keys.js';
import type { LogRows } from '../log-rows.js';
import { missingMemory, type Memory, type OpenedMemory } from '../memory.js';
import { newestSigned, openedRow } from '../newest-signed.js';
import type { LogFindings } from './log-findings.js';

/** A note from outside of the database that is given to a verification, such as one in a file. */
export interface WitnessedNote {
  /** In words, as in `… remembers 100 records`. */
  readonly from: string;
  readonly note: string;
}

/** A place that could not be compared with, and why. */
export interface NotCompared {
  readonly name: string;
  readonly why: string;
}

interface Witness {
  readonly from: string;
  readonly checkpoint: OpenedCheckpoint;
}

/** What was signed, as it is known outside of the rows that are verified. */
export interface Outside {
  /** The newest checkpoint in the database that a known key signed, when this began. */
  readonly newest: OpenedCheckpoint | undefined;
  readonly others: readonly Witness[];
  /** Names of the places that {@link others} are from. */
  readonly comparedWith: readonly string[];
  readonly notCompared: readonly NotCompared[];
}

export interface OutsideOptions {
  readonly keys: LogKeys;
  readonly memories: () => Promise<readonly Memory[]>;
  readonly witnesses: readonly WitnessedNote[];
  readonly now: number;
}

/** Asks whoever remembers. Whoever does not answer, or holds nothing, is named. */
export async function lookOutside(
  rows: LogRows,
  { keys, memories, witnesses, now }: OutsideOptions,
  findings: LogFindings,
): Promise<Outside> {
  // Before the memories: what is in the database was remembered before.
  const newest = (await newestSigned(rows, keys)).checkpoint;
  const asked = (await memories()).map((memory) => ({
    ...memory,
    checkpoint: opened(memory, keys, findings),
  }));
  const given = witnesses.flatMap(({ from, note }) => {
    const checkpoint = opened({ name: from, note }, keys, findings);
    return checkpoint === undefined ? [] : [{ from, checkpoint }];
  });
  requireMemory(newest, asked, given, findings);
  const remembering = asked.flatMap(({ name, kind, checkpoint }) =>
    checkpoint === undefined ? [] : [{ from: name, kind, checkpoint }],
  );
  // A signer that is killed between remembering and storing leaves one that is nowhere else: the next one takes its place.
  const settled = remembering.filter(
    ({ kind, checkpoint }) => kind === 'publisher' || now - (checkpoint.signedAt ?? now) > SETTLED_MS,
  );
  await checkStored(rows, keys, [...settled, ...given], findings);
  const others = [...remembering, ...given];
  return {
    newest,
    others,
    comparedWith: others.map(({ from }) => from),
    notCompared: asked.flatMap((memory) => notCompared(memory)),
  };
}

const SETTLED_MS = 60_000;

function opened(
  { name, note }: Pick<Memory, 'name' | 'note'>,
  keys: LogKeys,
  findings: LogFindings,
): OpenedCheckpoint | undefined {
  if (note === undefined) return undefined;
  try {
    return keys.open(note);
  } catch {
    const message = `What ${name} holds is no checkpoint of this log that a known key signed.`;
    findings.add({ code: 'checkpoint_signature', message });
    return undefined;
  }
}

function notCompared({ name, note, failure }: OpenedMemory): NotCompared[] {
  if (failure !== undefined) return [{ name, why: failure }];
  return note === undefined ? [{ name, why: 'It holds nothing of this log.' }] : [];
}

/** Without anybody who remembers, a database that was restored from yesterday would look intact. */
function requireMemory(
  newest: OpenedCheckpoint | undefined,
  asked: readonly OpenedMemory[],
  given: readonly Witness[],
  findings: LogFindings,
): void {
  const [own] = given.map(({ checkpoint }) => checkpoint).sort((a, b) => b.size - a.size);
  const state = asked.find(({ kind }) => kind === 'state');
  const publishers = asked.filter(({ kind }) => kind === 'publisher');
  const message = missingMemory({ newest, own, state, publishers });
  if (message !== undefined) findings.add({ code: 'log_memory', message });
}

const ROWS_OF_ONE_SIZE = 1000;

/** Whether what others hold is in the database as well: rows of checkpoints are only ever added. */
export async function checkStored(
  rows: LogRows,
  keys: LogKeys,
  witnesses: readonly Witness[],
  findings: LogFindings,
): Promise<void> {
  for (const { from, checkpoint } of witnesses) {
    const { size } = checkpoint;
    // An older database, which is found to be one, has none of them.
    if (size >= (await rows.size()) + 1) continue;
    const page = await rows.checkpointsAfter(size, -1, ROWS_OF_ONE_SIZE);
    const ofSize = page.filter((row) => row.size === size);
    if (ofSize.some((row) => openedRow(row, keys) !== undefined)) continue;
    const message = `The checkpoint of ${size} records that ${from} holds is not among those of the database: it was removed there, or the signer ended before it could store it.`;
    findings.add({ code: 'checkpoint_removed', message, index: Math.max(0, size - 1) });
  }
}
