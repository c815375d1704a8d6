import { checkOwn, checkUpserts, type Scopings } from './scopings.js';
import { currentReach, peekReach } from './reach.js';
import type { ScopedRunner } from './scoped-runner.js';
import { transactionStepOf, type TransactionStep } from './sql/transaction-step.js';
import { hasTenant, render } from './sql/scoped-sql.js';
import { TenancyError } from './tenancy.errors.js';
import { Transactions } from './transactions.js';

/** A name that no statement of an application has. */
const PARAMETER = 'sallyport_tenant';

/** Narrows what a runner of better-sqlite3 sends. It has one connection, and nothing to set on it. */
export function scopeSqlite(scoped: ScopedRunner, scopings: Scopings) {
  const transactions = new Transactions(scoped);
  return async (statement: string, parameters: unknown[] = [], structured = false): Promise<unknown> => {
    const send = () => scoped.send(statement, parameters, structured);
    const step = transactionStepOf(statement);
    if (step !== undefined) return inTransaction(transactions, step, send);
    if (isUnbound()) return send();
    const scoping = scopings.of(statement);
    if (scoping.kind === 'transaction') return inTransaction(transactions, scoping.does, send);
    if (scoping.kind === 'free') return send();
    const reach = currentReach();
    if (reach.kind !== 'tenant') return send();
    refuseSpread(parameters);
    checkOwn(scoping, parameters, reach.tenant);
    // A parameter with a name leaves the positions of the others as they are.
    const named = hasTenant(scoping.sql) ? [{ [PARAMETER]: reach.tenant }] : [];
    const sql = render(scoping.sql, `@${PARAMETER}`);
    const result = await scoped.send(sql, [...parameters, ...named], structured);
    checkUpserts(scoping, result);
    return result;
  };
}

async function inTransaction(
  transactions: Transactions,
  step: TransactionStep,
  send: () => Promise<unknown>,
): Promise<unknown> {
  if (step === 'commit') await transactions.beforeCommit();
  const result = await send();
  if (step === 'begin') transactions.begin();
  return result;
}

/**
 * better-sqlite3 takes a list as several parameters, and the members of an object as named ones: where arguments of a call
 * come as they are, the values would move, and another of them would be the tenant.
 */
function refuseSpread(parameters: readonly unknown[]): void {
  const moves = (given: unknown) => typeof given === 'object' && given !== null && !ArrayBuffer.isView(given);
  if (!parameters.some(moves)) return;
  throw new TenancyError(
    'unscopable',
    'A list or an object was given as a parameter: write one value for each.',
  );
}

/** Work on the schema, and across tenants, may say what no tenant could. */
function isUnbound(): boolean {
  const reach = peekReach();
  return reach !== undefined && reach.kind !== 'tenant';
}
