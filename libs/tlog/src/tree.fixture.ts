import { createHash } from 'node:crypto';
import type { Hash, HashReader, SubtreeAt } from './index.js';

/** SHA-256 of the parts, one after the other. */
export function sha256(...parts: Uint8Array[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest();
}

/**
 * The definitions of RFC 6962 §2.1, word for word: recursive, and knowing nothing of the code under test. What was
 * hashed once is remembered, so that all proofs of a tree can be compared.
 */
export class TreeModel {
  readonly #roots = new Map<string, Buffer>();

  constructor(readonly leaves: readonly Uint8Array[]) {}

  static ofSize(size: number, salt = 'leaf'): TreeModel {
    return new TreeModel(Array.from({ length: size }, (_, i) => Buffer.from(`${salt} ${i}`)));
  }

  /** MTH(D[start:end]) */
  root(start: number, end: number): Buffer {
    const key = `${start}:${end}`;
    const known = this.#roots.get(key) ?? this.#hash(start, end);
    this.#roots.set(key, known);
    return known;
  }

  #hash(start: number, end: number): Buffer {
    if (start === end) return sha256();
    if (end - start === 1) return sha256(Buffer.of(0), this.leaves[start]!);
    const k = split(end - start);
    return sha256(Buffer.of(1), this.root(start, start + k), this.root(start + k, end));
  }

  /** PATH(m, D[start:end]) of §2.1.1 */
  path(m: number, start: number, end: number): Buffer[] {
    if (end - start === 1) return [];
    const k = split(end - start);
    return m < k
      ? [...this.path(m, start, start + k), this.root(start + k, end)]
      : [...this.path(m - k, start + k, end), this.root(start, start + k)];
  }

  /** PROOF(m, D[0:n]) of §2.1.2 */
  proof(m: number, n: number): Buffer[] {
    return this.#subproof(m, 0, n, true);
  }

  #subproof(m: number, start: number, end: number, known: boolean): Buffer[] {
    if (m === end - start) return known ? [] : [this.root(start, end)];
    const k = split(end - start);
    return m <= k
      ? [...this.#subproof(m, start, start + k, known), this.root(start + k, end)]
      : [...this.#subproof(m - k, start + k, end, false), this.root(start, start + k)];
  }

  /** Reads complete subtrees of the first `size` leaves, and fails for any other. */
  reader(size = this.leaves.length): HashReader {
    return {
      read: async (at: readonly SubtreeAt[]): Promise<readonly Hash[]> =>
        at.map(({ level, index }) => {
          const width = 2 ** level;
          if ((index + 1) * width > size) throw new Error(`read beyond the tree: ${level}, ${index}`);
          return this.root(index * width, (index + 1) * width);
        }),
    };
  }
}

/** "the largest power of two smaller than n" */
function split(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/** A tree of any size whose leaves are all alike, so that each level has one hash. Counts what is read. */
export function uniformTree(leaf: Hash): HashReader & { hashesRead: number; questions: number } {
  const levels: Hash[] = [leaf];
  for (let level = 1; level < 54; level += 1)
    levels.push(sha256(Buffer.of(1), levels[level - 1]!, levels[level - 1]!));
  return {
    hashesRead: 0,
    questions: 0,
    async read(at) {
      this.hashesRead += at.length;
      this.questions += 1;
      return at.map(({ level }) => levels[level]!);
    },
  };
}

/** A copy with one bit turned over. */
export function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const at = Math.floor(bit / 8) % copy.length;
  copy[at] = copy[at]! ^ (1 << (bit % 8));
  return copy;
}
