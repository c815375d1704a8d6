import { formatCheckpoint, signNote, type NoteSigner } from '@sallyport/tlog';

import { comparedTree } from './compared-tree.js';
import type { LogKeys, OpenedCheckpoint } from './log-keys.js';
import type { LogRows } from './log-rows.js';
import { completeTiles } from './log-tiles.js';
import { RefusedSigning } from './log.errors.js';
import { asked, missingMemory, type Memory, type OpenedMemory } from './memory.js';
import { newestSigned } from './newest-signed.js';
import { timeSigner } from './signed-time.js';
import type { SignerState } from './state-file.js';

/** Told before the first checkpoint that another key signs than the one before. */
export type KeyRotation = (change: { readonly from: string; readonly to: string }) => Promise<void>;

export interface SignerOptions {
  readonly signer: NoteSigner;
  readonly keys: LogKeys;
  readonly state: SignerState | undefined;
  readonly onKeyRotation: KeyRotation;
  readonly now: () => number;
}

/** Of several processes with one state file each is the first within so many attempts. */
const MOST_ATTEMPTS = 10;

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
   * @param publishers what the places beside the state and the database say
   * @throws RefusedSigning when the log contradicts what was signed, or nobody remembers what was
   */
  async sign(rows: LogRows, publishers: readonly Memory[]): Promise<OpenedCheckpoint> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      const signed = await this.trySign(rows, publishers);
      if (signed !== undefined) return signed;
    }
    throw new Error('Other processes write the state of the signer all the time.');
  }

  /** Whether the log may be signed as it is. Signs nothing. @throws RefusedSigning */
  async examine(rows: LogRows, memories: () => Promise<readonly Memory[]>): Promise<void> {
    const { remembered } = await this.recollect(rows, memories);
    await comparedTree(rows, remembered);
  }

  /**
   * When so many records were signed last; milliseconds since the epoch. `undefined`: never.
   *
   * @param newest of the database: somebody may have put an old note on top of it
   */
  signedAt(size: number, newest: OpenedCheckpoint | undefined): number | undefined {
    const times = [newest, this.last].flatMap((known) => (known?.size === size ? [known.signedAt ?? 0] : []));
    return times.length === 0 ? undefined : Math.max(...times);
  }

  /** `undefined`: another process has signed meanwhile. */
  private async trySign(rows: LogRows, publishers: readonly Memory[]): Promise<OpenedCheckpoint | undefined> {
    const { signer, keys, state, now } = this.options;
    const { newest, stateNote, remembered } = await this.recollect(rows, async () => [
      ...(await this.askedState()),
      ...publishers,
    ]);
    const tree = await comparedTree(rows, remembered);
    await completeTiles(rows, Math.max(0, ...remembered.map(({ checkpoint }) => checkpoint.size)), tree.size);
    await this.noteRotation(newest);

    const text = formatCheckpoint({ origin: keys.origin, size: tree.size, root: tree.root() });
    const note = signNote(text, [signer, timeSigner(signer, now)]);
    if (state !== undefined && !(await state.replace(stateNote, note))) return undefined;
    const signed = keys.open(note);
    this.last = signed;
    await rows.addCheckpoint({ size: tree.size, at: now(), note });
    return signed;
  }

  private async askedState(): Promise<Memory[]> {
    const { state } = this.options;
    return state === undefined ? [] : [await asked({ name: state.name, kind: 'state' }, () => state.read())];
  }

  private async recollect(rows: LogRows, memories: () => Promise<readonly Memory[]>): Promise<Recollected> {
    const { keys } = this.options;
    // What is in the database was remembered before: in this order the memories are not older.
    const newest = await this.newest(rows);
    const opened = (await memories()).map((memory) => ({
      ...memory,
      checkpoint: openedMemory(memory, keys),
    }));
    const state = opened.find(({ kind }) => kind === 'state');
    const publishers = opened.filter(({ kind }) => kind === 'publisher');
    const missing = missingMemory({ newest, own: this.last, state, publishers });
    const remembered = [
      { name: 'this process', checkpoint: this.last },
      { name: "the database's newest checkpoint", checkpoint: newest },
      ...opened,
    ].flatMap(({ name, checkpoint }) => (checkpoint === undefined ? [] : [{ name, checkpoint }]));
    if (missing !== undefined) throw new RefusedSigning('log_memory', missing);
    return { newest, stateNote: state?.note, remembered };
  }

  private async newest(rows: LogRows): Promise<OpenedCheckpoint | undefined> {
    const { checkpoint, stranger, isBuried } = await newestSigned(rows, this.options.keys);
    if (stranger !== undefined)
      throw new RefusedSigning(
        'log_memory',
        `The database has a checkpoint of this log, in a row for ${stranger.size} records, that no known key signed. If the ` +
          'key was replaced, add the verifier key of the other one to audit.log.verifiers. Otherwise somebody who may add rows ' +
          `has put it in: as the owner of the tables ${REMOVE_CHECKPOINTS}`,
      );
    if (isBuried)
      throw new RefusedSigning(
        'log_put_in',
        'The newest rows in sallyport_log_checkpoint are not signed at all, and there are very many of them: somebody who ' +
          `may add rows has put them in. As the owner of the tables ${REMOVE_CHECKPOINTS}`,
      );
    return checkpoint;
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

interface Recollected {
  readonly newest: OpenedCheckpoint | undefined;
  /** As it was read. */
  readonly stateNote: string | undefined;
  readonly remembered: readonly { readonly name: string; readonly checkpoint: OpenedCheckpoint }[];
}

const REMOVE_CHECKPOINTS = 'remove it from sallyport_log_checkpoint, as the README of @sallyport/audit says.';

/** @throws RefusedSigning when what it holds cannot be read */
function openedMemory({ name, note }: Memory, keys: LogKeys): OpenedMemory['checkpoint'] {
  if (note === undefined) return undefined;
  try {
    return keys.open(note);
  } catch {
    throw new RefusedSigning(
      'log_memory',
      `What ${name} holds is no checkpoint of this log that a known key signed. If the key was replaced, add the ` +
        'verifier key of the one before to audit.log.verifiers; otherwise find out who wrote it, and move it away.',
    );
  }
}
