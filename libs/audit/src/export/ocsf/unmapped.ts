import type { ReadRecord } from '../../reading/read-record.js';

/** Members of a record that OCSF has a place for in every event that has them. */
const MAPPED = new Set<string>([
  'seq',
  'id',
  'at',
  'call',
  'tenant',
  'subject',
  'issuer',
  'client',
  'address',
  'server',
  'resource',
  'method',
  'entry',
  'entryKind',
  'decision',
  'reason',
  'status',
  'durationMs',
  'action',
  'policyVersion',
] satisfies (keyof ReadRecord)[]);

/** The rest of a record, under our names: checks, digests, hashes, scopes, the delegation chain and what comes later. */
export function unmapped(record: ReadRecord): Readonly<Record<string, unknown>> {
  const rest = Object.entries(record).filter(
    ([name, value]) => !MAPPED.has(name) && value !== null && !isEmptyList(value),
  );
  return Object.fromEntries(rest);
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
