import { EMPTY_ROOT, isHash, nodeHash, sameHash, type Hash } from './hash.js';
import { isSize } from './numbers.js';

/**
 * Does `proof` lead from the leaf hash `leaf` at `index` to the root of the tree of `size` leaves? (RFC 9162 §2.1.3.2,
 * which is the algorithm for the proofs of RFC 6962 §2.1.1.) Anything that is not a proof is `false`, never an exception.
 *
 * Size and root are taken from a signed checkpoint, and the leaf hash is made from the record: a proof binds the root, and
 * the size only together with it.
 */
export function verifyInclusion(p: {
  index: number;
  size: number;
  leaf: Hash;
  proof: readonly Hash[];
  root: Hash;
}): boolean {
  if (!isSize(p.index) || !isSize(p.size) || p.index >= p.size) return false;
  if (![p.leaf, p.root, ...p.proof].every(isHash)) return false;
  let [node, last, hash] = [p.index, p.size - 1, p.leaf];
  for (const sibling of p.proof) {
    if (last === 0) return false;
    const isRightmost = node === last;
    hash = isOdd(node) || isRightmost ? nodeHash(sibling, hash) : nodeHash(hash, sibling);
    // A rightmost node without a sibling on its level goes up until it has one.
    if (isRightmost) [node, last] = skipLonely(node, last);
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && sameHash(hash, p.root);
}

/**
 * Is the tree of `oldSize` leaves the beginning of the tree of `newSize`? (RFC 9162 §2.1.4.2, which is the algorithm for
 * the proofs of RFC 6962 §2.1.2.) Anything that is not a proof is `false`, never an exception. The tree without leaves
 * begins every tree, and between trees of one size there is nothing to prove: there the proof is empty.
 *
 * Sizes and roots are taken from two signed checkpoints.
 */
export function verifyConsistency(p: {
  oldSize: number;
  oldRoot: Hash;
  newSize: number;
  newRoot: Hash;
  proof: readonly Hash[];
}): boolean {
  if (!isSize(p.oldSize) || !isSize(p.newSize) || p.oldSize > p.newSize) return false;
  if (![p.oldRoot, p.newRoot, ...p.proof].every(isHash)) return false;
  if (p.oldSize === p.newSize) return p.proof.length === 0 && sameHash(p.oldRoot, p.newRoot);
  if (p.oldSize === 0) return p.proof.length === 0 && sameHash(p.oldRoot, EMPTY_ROOT);
  return climbsToBoth(p);
}

function climbsToBoth(p: {
  oldSize: number;
  oldRoot: Hash;
  newSize: number;
  newRoot: Hash;
  proof: readonly Hash[];
}): boolean {
  let [node, last] = [p.oldSize - 1, p.newSize - 1];
  while (isOdd(node)) [node, last] = [half(node), half(last)];
  // An old tree that is one complete subtree starts the climb itself; otherwise the proof says where it starts.
  const [start, ...siblings] = node === 0 ? [p.oldRoot, ...p.proof] : p.proof;
  if (start === undefined) return false;
  let [oldHash, newHash] = [start, start];
  for (const sibling of siblings) {
    if (last === 0) return false;
    if (isOdd(node) || node === last) {
      oldHash = nodeHash(sibling, oldHash);
      newHash = nodeHash(sibling, newHash);
      if (!isOdd(node)) [node, last] = skipLonely(node, last);
    } else {
      newHash = nodeHash(newHash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && sameHash(oldHash, p.oldRoot) && sameHash(newHash, p.newRoot);
}

/** Levels on which the node has no sibling to its left: up while its number is even. */
function skipLonely(node: number, last: number): [number, number] {
  let [n, l] = [node, last];
  while (n !== 0 && !isOdd(n)) [n, l] = [half(n), half(l)];
  return [n, l];
}

function isOdd(n: number): boolean {
  return n % 2 === 1;
}

function half(n: number): number {
  return Math.floor(n / 2);
}
