import { canonicalJson, leafHash, type Hash } from '@sallyport/tlog';

/**
 * The data of a record's leaf: canonical JSON (RFC 8785) of all its columns except `seq`, under the names of
 * `AuditRecord`, without those that are `null`. So a column that is added later leaves the leaves of older records as
 * they are.
 *
 * Takes any row, also one that somebody else wrote: what JSON cannot say is said as a text, and nothing is thrown.
 *
 * @example
 * leafOf({ seq: 7, id: '019…', kind: 'list', shown: 3, entry: null }) // {"id":"019…","kind":"list","shown":3}
 */
export function leafOf(record: object): string {
  // One pass: a verification does this for every record there is.
  const members: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(record)) {
    if (name !== 'seq' && value !== null && value !== undefined) members[name] = plain(value);
  }
  return canonicalJson(members);
}

/** The hash of {@link leafOf} in UTF-8 (RFC 6962 §2.1). */
export function leafHashOf(record: object): Hash {
  return leafHash(Buffer.from(leafOf(record)));
}

function plain(value: unknown): unknown {
  if (typeof value === 'string') return value.isWellFormed() ? value : value.toWellFormed();
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString('base64') };
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (typeof value === 'bigint') return String(value);
  return value;
}
