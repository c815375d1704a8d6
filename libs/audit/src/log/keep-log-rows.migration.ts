import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Each list of columns is one that no two rows have in common. What is here is history, as in every migration. */
const KEYS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  sallyport_log_leaf: [['idx'], ['seq']],
  sallyport_log_tile: [['level', 'idx']],
  sallyport_log_checkpoint: [['size', 'at']],
  sallyport_log_seal: [['from_idx']],
};

/**
 * SQLite lets `INSERT OR REPLACE` delete a row of the log without telling a trigger (unless `recursive_triggers` is on), so
 * a row with a key that is there already is refused before. PostgreSQL has no such statement.
 */
export class KeepSallyportLogRows1790000000102 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    if (runner.dataSource.options.type === 'postgres') return;
    for (const [table, keys] of Object.entries(KEYS)) await runner.query(refuseReplacing(table, keys));
  }

  /** An audit trail is not something to undo. */
  down(): Promise<void> {
    return Promise.reject(new Error('The log holds the evidence of the audit, and its protection stays.'));
  }
}

function refuseReplacing(table: string, keys: readonly (readonly string[])[]): string {
  const isThere = keys.map((columns) => {
    const same = columns.map((column) => `"${column}" = NEW."${column}"`).join(' AND ');
    return `EXISTS (SELECT 1 FROM "${table}" WHERE ${same})`;
  });
  return `CREATE TRIGGER "${table}_no_replace" BEFORE INSERT ON "${table}" WHEN ${isThere.join(' OR ')}
    BEGIN SELECT RAISE(ABORT, '${table}: rows are only ever added: what is recorded is neither changed nor deleted'); END`;
}
