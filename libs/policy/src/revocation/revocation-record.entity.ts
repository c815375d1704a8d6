import type { StoreDialect } from '@sallyport/store';
import { EntitySchema } from 'typeorm';
import type { Revocable } from './revocation.js';

export const REVOCATION_TABLE = 'sallyport_revocation';

/** One step in the history of a target. Rows are only ever added: the newest of a target says what holds. */
export class RevocationRecord {
  /** Order of the steps. */
  seq!: number;
  /** Milliseconds since the epoch. */
  at!: number;
  action!: 'revoke' | 'restore';
  kind!: Revocable;
  value!: string;
  issuer!: string | null;
  tenant!: string | null;
  /** Why, in the words of whoever did it. */
  reason!: string | null;
  /** Who did it. */
  by!: string;
}

/** PostgreSQL hands a bigint over as text. */
const asNumber = { to: (value: number) => value, from: (value: unknown) => Number(value) };

export function revocationRecordEntity(dialect: StoreDialect): EntitySchema<RevocationRecord> {
  return new EntitySchema<RevocationRecord>({
    name: 'SallyportRevocation',
    target: RevocationRecord,
    tableName: REVOCATION_TABLE,
    columns: {
      seq: {
        type: dialect === 'postgres' ? 'bigint' : 'integer',
        primary: true,
        generated: 'increment',
        transformer: asNumber,
      },
      at: { type: 'bigint', transformer: asNumber },
      action: { type: 'text' },
      kind: { type: 'text' },
      value: { type: 'text' },
      issuer: { type: 'text', nullable: true },
      tenant: { type: 'text', nullable: true },
      reason: { type: 'text', nullable: true },
      by: { type: 'text' },
    },
  });
}
