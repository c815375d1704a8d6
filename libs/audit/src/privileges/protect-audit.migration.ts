import { Table, type MigrationInterface, type QueryRunner } from 'typeorm';

import { refuseChanges } from './append-only.js';

/** What is here is history: a later change of the tables is a later migration. */
const TABLE = 'sallyport_audit';
const SEALED = 'sallyport_audit_sealed';

/**
 * From now on the database itself refuses to change a record. It may be deleted only as part of a range that is noted in
 * `sallyport_audit_sealed`, where the server may not write.
 */
export class ProtectSallyportAudit1790000000011 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { driver } = runner.dataSource;
    await runner.createTable(
      new Table({
        name: driver.buildTableName(SEALED, driver.schema),
        columns: [
          { name: 'from_seq', type: 'bigint', isPrimary: true },
          { name: 'to_seq', type: 'bigint' },
          { name: 'at', type: 'bigint' },
          { name: 'reason', type: 'text' },
        ],
      }),
    );
    await refuseChanges(runner, { name: SEALED, unique: ['from_seq'] });
    await refuseChanges(runner, {
      name: TABLE,
      deletable: { column: 'seq', ranges: SEALED },
      unique: ['seq', 'id', 'attempt'],
    });
  }

  /** An audit trail is not something to undo. */
  down(): Promise<void> {
    return Promise.reject(new Error(`${TABLE} holds the audit trail and its protection is not taken away.`));
  }
}
