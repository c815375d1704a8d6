import { isPlainObject } from '@sallyport/mcp';
import { canonicalJson, type Hash } from '@sallyport/tlog';

import { SealedFileError } from './sealed-file.error.js';

/**
 * First line of a sealed file. With it and the verifier key of the log, the file is verified by itself: the tree of the
 * first `from` leaves, the leaves of the file, and from there the tree that was signed.
 */
export interface SealedHeader {
  /** Name of the log. */
  readonly origin: string;
  /** Index of the first leaf. */
  readonly from: number;
  /** Index of the last leaf. */
  readonly to: number;
  /** Roots of the complete subtrees before the first leaf, from left to right (RFC 6962 §2.1). */
  readonly edge: readonly Hash[];
  /** The signed note of a tree that holds them all. */
  readonly checkpoint: string;
  /** Proof that the tree up to `to` is the beginning of that one (RFC 6962 §2.1.2). */
  readonly consistency: readonly Hash[];
}

const FORMAT = 'sallyport-sealed-range/v1';

/** The line, without its end: canonical JSON (RFC 8785), hashes in base64. */
export function formatSealedHeader({ edge, consistency, ...header }: SealedHeader): string {
  const texts = (hashes: readonly Hash[]) => hashes.map((hash) => Buffer.from(hash).toString('base64'));
  return canonicalJson({
    format: FORMAT,
    ...header,
    edge: texts(edge),
    consistency: texts(consistency),
  });
}

/** @throws SealedFileError for any line that {@link formatSealedHeader} does not write */
export function parseSealedHeader(line: Uint8Array): SealedHeader {
  const read = parsed(line);
  if (!isPlainObject(read) || read['format'] !== FORMAT) throw malformed();
  const { origin, from, to, checkpoint } = read;
  if (typeof origin !== 'string' || typeof checkpoint !== 'string' || !isIndex(from) || !isIndex(to))
    throw malformed();
  if (from > to) throw malformed();
  return {
    origin,
    from,
    to,
    checkpoint,
    edge: hashesOf(read['edge']),
    consistency: hashesOf(read['consistency']),
  };
}

function parsed(line: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(line).toString('utf8'));
  } catch {
    throw malformed();
  }
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** As many as a tree of 2^53 leaves can ask for, and not more. */
const MOST_HASHES = 64;

function hashesOf(value: unknown): Hash[] {
  if (!Array.isArray(value) || value.length > MOST_HASHES) throw malformed();
  return value.map((text: unknown) => {
    const hash = Buffer.from(typeof text === 'string' ? text : '', 'base64');
    if (hash.length !== 32 || hash.toString('base64') !== text) throw malformed();
    return Uint8Array.from(hash);
  });
}

function malformed(): SealedFileError {
  return new SealedFileError('Its first line is not the one of a sealed range of records.');
}
