import { Frontier, leafHash, TlogError, verifyConsistency, type Hash } from '@sallyport/tlog';

import type { LogKeys, OpenedCheckpoint } from '../log/log-keys.js';
import { SealedFileError } from './sealed-file.error.js';
import { parseSealedHeader, type SealedHeader } from './sealed-header.js';
import { readLines } from './sealed-lines.js';

export interface SealedFileCheck {
  /** Keys whose checkpoints count. */
  readonly keys: LogKeys;
  /** The hashes of leaves as the database has them, one after the other. Absent: the signed root alone decides. */
  readonly leafHashes?: (first: number, count: number) => Promise<Uint8Array>;
  /** Told each leaf that passed; before the whole file has. */
  readonly onLeaf?: (leaf: Uint8Array, index: number) => void;
  /** How many of the records in the file were compared. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** A file that holds exactly the records that were signed. */
export interface CheckedSealedFile {
  readonly header: SealedHeader;
  /** Of the whole file, hexadecimal. */
  readonly sha256: string;
  /** When the checkpoint in it was signed, if it says so; milliseconds since the epoch. */
  readonly signedAt: number | undefined;
}

const BATCH = 1024;

/**
 * Verifies a sealed file by itself, and with the leaves of a database when there is one: every record in it is the one that
 * was signed, in its place, and none is missing.
 *
 * @throws SealedFileError that says what is wrong, and where if that is known; and what reading the file throws
 */
export async function checkSealedFile(path: string, check: SealedFileCheck): Promise<CheckedSealedFile> {
  let walk: SealedWalk | undefined;
  const sha256 = await readLines(path, async (line, number) => {
    if (number === 0) walk = await SealedWalk.begin(parseSealedHeader(line), check);
    else await walk?.add(line);
  });
  if (walk === undefined) throw new SealedFileError('It is empty.');
  walk.end();
  return { header: walk.header, sha256, signedAt: walk.checkpoint.signedAt };
}

/** The tree, growing with the lines of the file. */
class SealedWalk {
  private known: { first: number; hashes: Uint8Array } = { first: 0, hashes: new Uint8Array(0) };

  private constructor(
    readonly header: SealedHeader,
    readonly checkpoint: OpenedCheckpoint,
    private readonly tree: Frontier,
    private readonly check: SealedFileCheck,
  ) {}

  static async begin(header: SealedHeader, check: SealedFileCheck): Promise<SealedWalk> {
    const checkpoint = opened(header.checkpoint, check.keys);
    if (header.origin !== checkpoint.origin || header.to >= checkpoint.size)
      throw new SealedFileError('The checkpoint in it does not cover its records.');
    return new SealedWalk(header, checkpoint, await treeBefore(header), check);
  }

  async add(leaf: Uint8Array): Promise<void> {
    const index = this.tree.size;
    if (index > this.header.to)
      throw new SealedFileError('It holds more records than its first line says.', index);
    const hash = leafHash(leaf);
    const known = await this.knownHash(index);
    if (known !== undefined && Buffer.compare(hash, known) !== 0)
      throw new SealedFileError(
        `Its record with the index ${index} is not the one that was logged there.`,
        index,
      );
    this.tree.append(hash);
    this.check.onLeaf?.(leaf, index);
    const { from, to } = this.header;
    if (index === to || (index - from) % BATCH === BATCH - 1)
      this.check.onProgress?.(index - from + 1, to - from + 1);
  }

  end(): void {
    const { header, checkpoint, tree } = this;
    if (tree.size !== header.to + 1)
      throw new SealedFileError(`It ends before the record with the index ${tree.size}.`, tree.size);
    const leads = verifyConsistency({
      oldSize: tree.size,
      oldRoot: tree.root(),
      newSize: checkpoint.size,
      newRoot: checkpoint.root,
      proof: header.consistency,
    });
    if (!leads)
      throw new SealedFileError(
        'Its records do not lead to the root that was signed: at least one is not as it was.',
      );
  }

  private async knownHash(index: number): Promise<Hash | undefined> {
    if (this.check.leafHashes === undefined) return undefined;
    const { first, hashes } = this.known;
    if (index < first || index >= first + hashes.length / 32) {
      const count = Math.min(BATCH, this.header.to - index + 1);
      this.known = { first: index, hashes: await this.check.leafHashes(index, count) };
    }
    const at = (index - this.known.first) * 32;
    return this.known.hashes.subarray(at, at + 32);
  }
}

function opened(note: string, keys: LogKeys): OpenedCheckpoint {
  try {
    return keys.open(note);
  } catch {
    throw new SealedFileError('The checkpoint in it was signed by no known key of this log.');
  }
}

async function treeBefore({ from, edge }: SealedHeader): Promise<Frontier> {
  try {
    return await Frontier.read(from, { read: () => Promise.resolve(edge) });
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    throw new SealedFileError('What it says of the tree before its records is no tree of that size.');
  }
}
