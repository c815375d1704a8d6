import { EntitySchema } from 'typeorm';

export const AUDIT_KEY_TABLE = 'sallyport_audit_key';

/**
 * The key of a person within a tenant. Erasing the person empties `key` and both lookups: what is left is a random id and
 * a time.
 */
export class AuditKey {
  /** Random; `person` in the records. */
  id!: string;
  /** Keyed hash of tenant, issuer and subject. Unique while the key is there. */
  lookup!: string | null;
  /** Keyed hash of the subject alone, to find the records of a user. */
  subjectLookup!: string | null;
  tenant!: string | null;
  /** What the key is wrapped with; `null`: nothing. */
  wrapping!: string | null;
  /** 256 bits, wrapped. */
  key!: string | null;
  /** Milliseconds since the epoch. */
  createdAt!: number;
  erasedAt!: number | null;
}

/** `pg` gives a bigint as a string; all of ours are below 2^53. */
const asNumber = {
  to: (value: unknown) => value,
  from: (value: unknown) => (value === null ? null : Number(value)),
};

export const auditKeyEntity = new EntitySchema<AuditKey>({
  target: AuditKey,
  name: AuditKey.name,
  tableName: AUDIT_KEY_TABLE,
  columns: {
    id: { type: 'text', primary: true },
    lookup: { type: 'text', nullable: true },
    subjectLookup: { type: 'text', nullable: true, name: 'subject_lookup' },
    tenant: { type: 'text', nullable: true },
    wrapping: { type: 'text', nullable: true },
    key: { type: 'text', nullable: true },
    createdAt: { type: 'bigint', name: 'created_at', transformer: asNumber },
    erasedAt: { type: 'bigint', nullable: true, name: 'erased_at', transformer: asNumber },
  },
  indices: [
    { name: `${AUDIT_KEY_TABLE}_lookup`, columns: ['lookup'], unique: true },
    { name: `${AUDIT_KEY_TABLE}_subject`, columns: ['subjectLookup'] },
    { name: `${AUDIT_KEY_TABLE}_erased`, columns: ['erasedAt'] },
  ],
});
