import {
  EMPTY_ROOT,
  formatCheckpoint,
  rootOf,
  signNote,
  tileReader,
  type Hash,
  type NoteSigner,
} from '@sallyport/tlog';

import type { LogKeys, OpenedCheckpoint } from './log-keys.js';
import type { LogRows } from './log-rows.js';
import { LogTiles } from './log-tiles.js';
import { RefusedSigning } from './log.errors.js';
import { timeSigner } from './signed-time.js';
import type { SignerState } from './state-file.js';

/** A place that remembers what was signed. */
export interface Memory {
  readonly name: string;
  /** The newest note that it holds; rejects when it cannot say. */
  read(): Promise<string | undefined>;
}

/** Told before the first checkpoint that another key signs than the one before. */
export type KeyRotation = (change: { readonly from: string; readonly to: string }) => Promise<void>;

export interface SignerOptions {
  readonly signer: NoteSigner;
  readonly keys: LogKeys;
  readonly state: SignerState | undefined;
  readonly onKeyRotation: KeyRotation;
  readonly now: () => number;
}

/**
 * Signs the log, and nothing that contradicts what was signed before (c2sp.org/tlog-checkpoint, Signatures): it
 * remembers outside of the database what it signed, because a database can be restored from yesterday.
 */
export class LogSigner {
  /** What this process signed last. */
  private last: OpenedCheckpoint | undefined;
  private rotationNoted = false;

  constructor(private readonly options: SignerOptions) {}

  /**
   * A checkpoint of the log as it is now, remembered before anybody sees it, and then stored.
   *
   * @param memories places that remember beside the state and the database
   * @throws RefusedSigning when the log contradicts what was signed
   */
  async sign(rows: LogRows, memories: readonly Memory[]): Promise<OpenedCheckpoint> {
    const { signer, keys, state, now } = this.options;
    // Before the size: what is remembered was in the database before it was signed.
    const remembered = await this.remembered(rows, memories);
    const size = await rows.size();
    for (const { from, checkpoint } of remembered) await requireSame(rows, size, from, checkpoint);
    await this.noteRotation(remembered.find(({ from }) => from === DATABASE)?.checkpoint);

    const text = formatCheckpoint({ origin: keys.origin, size, root: await logRoot(rows, size) });
    const note = signNote(text, [signer, timeSigner(signer, now)]);
    await state?.write(note);
    const signed = keys.open(note);
    this.last = signed;
    await rows.addCheckpoint({ size, at: now(), note });
    return signed;
  }

  /** Whether the log may be signed as it is. Signs nothing. @throws RefusedSigning */
  async examine(rows: LogRows, memories: readonly Memory[]): Promise<void> {
    const remembered = await this.remembered(rows, memories);
    const size = await rows.size();
    for (const { from, checkpoint } of remembered) await requireSame(rows, size, from, checkpoint);
  }

  private async remembered(rows: LogRows, memories: readonly Memory[]): Promise<Remembered[]> {
    const { state } = this.options;
    const database: Memory = { name: DATABASE, read: async () => (await rows.newestCheckpoint())?.note };
    const found: Remembered[] =
      this.last === undefined ? [] : [{ from: 'this process', checkpoint: this.last }];
    for (const memory of [...(state === undefined ? [] : [state]), database, ...memories]) {
      const note = await memory.read();
      if (note !== undefined) found.push({ from: memory.name, checkpoint: this.opened(note, memory.name) });
    }
    return found;
  }

  private opened(note: string, from: string): OpenedCheckpoint {
    try {
      return this.options.keys.open(note);
    } catch {
      throw new RefusedSigning(
        'log_memory',
        `What ${from} holds is no checkpoint of this log that a known key signed. If the key was replaced, add the ` +
          'verifier key of the one before to audit.log.verifiers; otherwise find out who wrote it, and move it away.',
      );
    }
  }

  /** A rotation is on record before the new key is used. */
  private async noteRotation(newest: OpenedCheckpoint | undefined): Promise<void> {
    const { signer, onKeyRotation } = this.options;
    const to = signer.verifierKey;
    if (this.rotationNoted || newest === undefined || newest.keys.includes(to)) return;
    await onKeyRotation({ from: newest.keys[0] ?? '', to });
    this.rotationNoted = true;
  }
}

const DATABASE = "the database's newest checkpoint";

interface Remembered {
  readonly from: string;
  readonly checkpoint: OpenedCheckpoint;
}

/** Root of the tree of the first `size` leaves, from what the database holds. */
export function logRoot(rows: LogRows, size: number): Promise<Hash> {
  return size === 0 ? Promise.resolve(EMPTY_ROOT) : rootOf(size, tileReader(size, new LogTiles(rows)));
}

/** The tree of that size is the one that was signed, so the log has only grown since (RFC 6962 §2.1.2). */
async function requireSame(
  rows: LogRows,
  size: number,
  from: string,
  remembered: OpenedCheckpoint,
): Promise<void> {
  if (remembered.size > size)
    throw new RefusedSigning(
      'log_went_backwards',
      `The log has ${size} records, and ${from} remembers ${remembered.size} that were signed: this database is ` +
        'older than its log, or was cut. Restore the newer one. If the loss is accepted, keep what remembers it as evidence, ' +
        'move it away, and start again.',
    );
  const root = await logRoot(rows, remembered.size);
  if (Buffer.compare(root, remembered.root) === 0) return;
  throw new RefusedSigning(
    'log_forked',
    `The first ${remembered.size} of the ${size} records of the log are not those that ${from} remembers as signed. ` +
      'Run sallyport audit verify to find the first that differs, and restore the database that was signed.',
  );
}
