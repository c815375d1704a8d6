import type { StoreDialect } from '@sallyport/store';
import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm';

export const API_KEY_TABLE = 'sallyport_api_key';

/** One key. Times are milliseconds since the epoch. */
export class ApiKeyRecord {
  /** Stands in the key itself, is public, and never comes again. */
  id!: string;
  /** Id of the first key of a series: what rotation keeps, and so the subject of the principal. */
  series!: string;
  /** For people. */
  name!: string;
  environment!: string;
  tenant!: string | null;
  scopes!: readonly string[];
  roles!: readonly string[];
  /** Addresses it may be used from; none: from anywhere. */
  ranges!: readonly string[];
  /** Keyed hash of the whole key, and the version of its pepper. */
  hash!: string;
  pepper!: string;
  issuedAt!: number;
  /** Who issued it: issuer and subject of a principal. */
  issuedByIssuer!: string;
  issuedBySubject!: string;
  /** Brought forward to the end of the overlap when it is rotated. */
  expiresAt!: number;
  revokedAt!: number | null;
  /** The key that took its place. */
  replacedBy!: string | null;
  lastUsedAt!: number | null;
  /** Name of the entry, or the method of a list. */
  lastUsedEntry!: string | null;
}

const asNumber = {
  to: (value: unknown) => value,
  /** PostgreSQL hands a bigint over as text. */
  from: (value: unknown) => (value === null ? null : Number(value)),
};

const asList = {
  to: (value: readonly string[]) => JSON.stringify(value),
  from: (value: unknown): unknown => (typeof value === 'string' ? JSON.parse(value) : []),
};

const text: EntitySchemaColumnOptions = { type: 'text' };
const maybe: EntitySchemaColumnOptions = { type: 'text', nullable: true };
const list: EntitySchemaColumnOptions = { type: 'text', transformer: asList };
const time: EntitySchemaColumnOptions = { type: 'bigint', transformer: asNumber };

/** The same on both databases. */
export function apiKeyEntity(_dialect: StoreDialect): EntitySchema<ApiKeyRecord> {
  return new EntitySchema<ApiKeyRecord>({
    name: 'SallyportApiKey',
    target: ApiKeyRecord,
    tableName: API_KEY_TABLE,
    columns: {
      id: { ...text, primary: true, primaryKeyConstraintName: `${API_KEY_TABLE}_pkey` },
      series: text,
      name: text,
      environment: text,
      tenant: maybe,
      scopes: list,
      roles: list,
      ranges: list,
      hash: text,
      pepper: text,
      issuedAt: { ...time, name: 'issued_at' },
      issuedByIssuer: { ...text, name: 'issued_by_issuer' },
      issuedBySubject: { ...text, name: 'issued_by_subject' },
      expiresAt: { ...time, name: 'expires_at' },
      revokedAt: { ...time, name: 'revoked_at', nullable: true },
      replacedBy: { ...maybe, name: 'replaced_by' },
      lastUsedAt: { ...time, name: 'last_used_at', nullable: true },
      lastUsedEntry: { ...maybe, name: 'last_used_entry' },
    },
    indices: [
      { name: `${API_KEY_TABLE}_series`, columns: ['series'] },
      { name: `${API_KEY_TABLE}_tenant`, columns: ['tenant'] },
    ],
  });
}
