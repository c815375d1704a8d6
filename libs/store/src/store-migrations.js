import { setTimeout as sleep } from 'node:timers/promises';
import { MigrationExecutor } from 'typeorm';
import { errorMessageOf, isBusy } from './store-fault.js';
/** Any number, the same in every process: `sallyprt` in ASCII. Fits a signed bigint. */
const LOCK = '8314892167427945076';
const PAUSE_MS = 25;
/** Names of the migrations that this database lacks. Changes nothing. */
export async function pendingMigrations(dataSource) {
    const pending = await new MigrationExecutor(dataSource).getPendingMigrations();
    return pending.map(({ name }) => name);
}
/** Brings the tables up to date. Several processes may do so at once. */
export async function runMigrations(dataSource, patienceMs) {
    if (dataSource.options.type === 'postgres')
        return runUnderLock(dataSource);
    await retryWhile(isCollision, patienceMs, () => dataSource.runMigrations({ transaction: 'all' }));
}
/**
 * One transaction for the lock and all that it protects, so that it also works through a pooler that gives each
 * transaction another connection. A migration may take longer than a statement should, so the limit of time is lifted.
 */
async function runUnderLock(dataSource) {
    const runner = dataSource.createQueryRunner();
    try {
        await runner.startTransaction();
        await runner.query('SET LOCAL statement_timeout = 0');
        await runner.query(`SELECT pg_advisory_xact_lock(${LOCK})`);
        await new MigrationExecutor(dataSource, runner).executePendingMigrations();
        await runner.commitTransaction();
    }
    catch (error) {
        // A connection that failed cannot roll back; the error to report is the first one.
        await runner.rollbackTransaction().catch(() => undefined);
        throw error;
    }
    finally {
        await runner.release();
    }
}
/** SQLite has no lock to wait for: another process may be in the middle of the same statements, or just done. */
function isCollision(error) {
    return isBusy(error) || errorMessageOf(error).includes('already exists');
}
/** Tries until it works, fails otherwise than `passes` by itself, or `patienceMs` are over. */
export async function retryWhile(passes, patienceMs, attempt) {
    const deadline = Date.now() + patienceMs;
    for (;;) {
        try {
            return await attempt();
        }
        catch (error) {
            if (!passes(error) || Date.now() >= deadline)
                throw error;
        }
        await sleep(PAUSE_MS);
    }
}
//# sourceMappingURL=store-migrations.js.map