import { checkHash, nodeHash, type Hash } from './hash.js';
import { checkSize } from './numbers.js';
import { foldEdge, readHashes, subtreesOf, type HashReader } from './subtree.js';

/**
 * The right edge of a tree, in O(log n) memory: enough to append leaves and to know the root.
 *
 * @example
 * const tree = Frontier.empty();
 * tree.append(leafHash(Buffer.from('one record')));
 * tree.root(); // 32 bytes
 */
export class Frontier {
  #size: number;
  /** Roots of the complete subtrees from left to right, largest first: one for each bit of the size. */
  readonly #peaks: Hash[];

  private constructor(size: number, peaks: Hash[]) {
    this.#size = size;
    this.#peaks = peaks;
  }

  /** The tree without leaves. */
  static empty(): Frontier {
    return new Frontier(0, []);
  }

  /** The tree of that size, from its stored hashes. They are not verified: compare `root()` with a signed checkpoint. */
  static async read(size: number, reader: HashReader): Promise<Frontier> {
    checkSize(size);
    const peaks = await readHashes(subtreesOf({ start: 0, end: size }), reader);
    return new Frontier(
      size,
      peaks.map((peak) => Uint8Array.from(peak)),
    );
  }

  /** Number of leaves. */
  get size(): number {
    return this.#size;
  }

  /** Appends one leaf hash, made by `leafHash`. Throws a `TlogError` unless it is 32 bytes. */
  append(leaf: Hash): void {
    checkHash(leaf);
    checkSize(this.#size + 1);
    const completed = this.#peaks.splice(this.#peaks.length - trailingOnes(this.#size));
    this.#peaks.push(completed.reduceRight((right, left) => nodeHash(left, right), Uint8Array.from(leaf)));
    this.#size += 1;
  }

  /** RFC 6962 root of the leaves so far. */
  root(): Hash {
    return foldEdge(this.#peaks);
  }

  /** A tree that grows on its own. */
  clone(): Frontier {
    return new Frontier(this.#size, [...this.#peaks]);
  }
}

/** As many subtrees does the next leaf complete. */
function trailingOnes(size: number): number {
  let ones = 0;
  for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) ones += 1;
  return ones;
}
