import type {
  AdministrationAction,
  AuditEvent,
  Decision,
  EndCause,
  EntryKind,
  OutcomeStatus,
  PrincipalKind,
  Risk,
  Way,
} from '@sallyport/mcp';
import type { StoreDialect } from '@sallyport/store';
import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm';

export type AuditKind = AuditEvent['kind'];

export const AUDIT_TABLE = 'sallyport_audit';

/**
 * One record. Rows are only ever added; nothing here updates or deletes one. Every text is bounded and free of
 * characters that could change how it is shown. `null`: not known, or not a matter of this kind of record.
 */
export class AuditRecord {
  /** Order of commit. */
  seq!: number;
  /** UUID v7 of the event. */
  id!: string;
  /** Milliseconds since the epoch: one form for both databases, without a time zone, exact to compare and to index. */
  at!: number;
  kind!: AuditKind;
  /** Outcomes only: `id` of the attempt. Unique, so that an attempt has one outcome at most. */
  attempt!: string | null;
  /** Correlation id of the call. */
  call!: string | null;
  /** W3C trace context, when the caller sent a valid one. */
  traceparent!: string | null;
  via!: Way | 'cli';
  protocol!: string | null;
  /** Name of the server. */
  server!: string;
  /** RFC 8707 resource of the server. */
  resource!: string;
  /** Of the TCP peer. */
  address!: string | null;
  /**
   * Random id of the key that seals `personal` and hashes the arguments: one for each person within a tenant. Outlives
   * the key, and says nothing of the person by itself.
   */
  person!: string | null;
  /**
   * What names the person: subject, address, credential, fields and who made an administrative change, sealed. Their own
   * columns are `null` then; records of before this column have them in the clear.
   */
  personal!: string | null;
  principalKind!: PrincipalKind | null;
  issuer!: string | null;
  subject!: string | null;
  client!: string | null;
  tenant!: string | null;
  /** JSON list, nearest actor first. Each actor is sealed with a key of their own. */
  actors!: string | null;
  credentialKind!: string | null;
  /** Stable id of the credential, such as a `jti`. Never the secret. */
  credential!: string | null;
  /** Space separated, as in OAuth. */
  scopesGranted!: string | null;
  scopesRequired!: string | null;
  /** Of the principal, space separated. */
  roles!: string | null;
  method!: string | null;
  entryKind!: EntryKind | null;
  /** Name in the catalog. For an entry that does not exist: the target, or `~` and a hash of it. */
  entry!: string | null;
  /** Digest of the entry's definition; `null` for an entry that does not exist. */
  entryDigest!: string | null;
  risk!: Risk | null;
  decision!: Decision['effect'] | null;
  /** Stable code of a refusal or of a failed authentication. */
  reason!: string | null;
  /** JSON list of the checks that were made. */
  checks!: string | null;
  policyVersion!: string | null;
  /** HMAC of the arguments with the key of the person. Of records without `person`: SHA-256 without a key. */
  argumentsDigest!: string | null;
  /** JSON object: the name of each argument that is not in `auditFields`, and the beginning of its HMAC. */
  argumentHashes!: string | null;
  /** JSON object of the arguments that the entry lists in `auditFields`; all others are in the digest alone. */
  fields!: string | null;
  status!: OutcomeStatus | null;
  /** Outcomes only: what ended the call, when it did not end by itself. */
  cause!: EndCause | null;
  /** Id of the approval that the call has spent. */
  approval!: string | null;
  durationMs!: number | null;
  resultBytes!: number | null;
  /** Lists only: how many entries were shown. */
  shown!: number | null;
  /** Failed authentications only: the identity source that judged. */
  source!: string | null;
  /** Administration only: what was changed, or was not for `reason`. */
  action!: AdministrationAction | null;
  /** Administration only: id of what was changed. `null` when it is a person: then it is in `about`. */
  target!: string | null;
  /** Administration only: the person that it is about, sealed with the key of that person. */
  about!: string | null;
  /** Administration, and failed authentications that were counted: JSON object of texts. */
  details!: string | null;
}

/** A record before the database numbered it. */
export type NewAuditRecord = Omit<AuditRecord, 'seq'>;

type ColumnName = keyof AuditRecord;

/** `pg` gives a bigint as a string; all of ours are below 2^53. */
const asNumber = {
  to: (value: unknown) => value,
  from: (value: unknown) => (value === null ? null : Number(value)),
};

const text: EntitySchemaColumnOptions = { type: 'text', nullable: true };
const required: EntitySchemaColumnOptions = { type: 'text' };
const count: EntitySchemaColumnOptions = { type: 'bigint', nullable: true, transformer: asNumber };

/**
 * A schema rather than decorators, because the two databases disagree about one column: SQLite numbers rows only in an
 * `integer` key, and PostgreSQL would run out of numbers in one.
 */
export function auditRecordEntity(dialect: StoreDialect): EntitySchema<AuditRecord> {
  const seq = dialect === 'postgres' ? 'bigint' : 'integer';
  return new EntitySchema<AuditRecord>({
    target: AuditRecord,
    name: AuditRecord.name,
    tableName: AUDIT_TABLE,
    columns: {
      seq: { type: seq, primary: true, generated: 'increment', transformer: asNumber },
      ...named({
        id: required,
        at: { ...count, nullable: false },
        kind: required,
        attempt: text,
        call: text,
        traceparent: text,
        via: required,
        protocol: text,
        server: required,
        resource: required,
        address: text,
        person: text,
        personal: text,
        principalKind: text,
        issuer: text,
        subject: text,
        client: text,
        tenant: text,
        actors: text,
        credentialKind: text,
        credential: text,
        scopesGranted: text,
        scopesRequired: text,
        roles: text,
        method: text,
        entryKind: text,
        entry: text,
        entryDigest: text,
        risk: text,
        decision: text,
        reason: text,
        checks: text,
        policyVersion: text,
        argumentsDigest: text,
        argumentHashes: text,
        fields: text,
        status: text,
        cause: text,
        approval: text,
        durationMs: count,
        resultBytes: count,
        shown: count,
        source: text,
        action: text,
        target: text,
        about: text,
        details: text,
      }),
    },
    indices: [
      { name: `${AUDIT_TABLE}_id`, columns: ['id'], unique: true },
      { name: `${AUDIT_TABLE}_attempt`, columns: ['attempt'], unique: true },
      { name: `${AUDIT_TABLE}_call`, columns: ['call'] },
      { name: `${AUDIT_TABLE}_at`, columns: ['at'] },
      { name: `${AUDIT_TABLE}_tenant_at`, columns: ['tenant', 'at'] },
      { name: `${AUDIT_TABLE}_person`, columns: ['person'] },
      { name: `${AUDIT_TABLE}_action`, columns: ['action'], where: '"action" IS NOT NULL' },
    ],
  });
}

/** Gives every column its snake_case name, whatever naming strategy is set. */
function named(columns: Record<Exclude<ColumnName, 'seq'>, EntitySchemaColumnOptions>) {
  return Object.fromEntries(
    Object.entries(columns).map(([property, column]) => [property, { ...column, name: snakeCase(property) }]),
  );
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
