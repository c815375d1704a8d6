import { AsyncLocalStorage } from 'node:async_hooks';

import { currentReach, peekReach, peekTenant } from '../reach.js';
import type { ScopedRunner } from '../scoped-runner.js';
import { checkOwn, checkUpserts, type Scopings } from '../scopings.js';
import type { ScopedStatement } from '../sql/scope-statement.js';
import { hasTenant, render } from '../sql/scoped-sql.js';
import { transactionStepOf, type TransactionStep } from '../sql/transaction-step.js';
import { TenancyError } from '../tenancy.errors.js';
import { Transactions } from '../transactions.js';
import type { Sessions } from './sessions.js';

/** Whose rows a connection is for: those of one tenant at a time, or those of all. */
export type ConnectionFor = 'tenant' | 'everyone';

/** What a transaction is told before it was told anything, and where nobody is asking. No row has an empty tenant. */
const NOBODY = '';

/**
 * Narrows what a runner of PostgreSQL sends, and tells the database the tenant, for the policies of row-level security:
 * always inside a transaction and for that transaction alone, so that nothing of it is left when the connection goes
 * back to the pool, however the transaction ends.
 */
export class PostgresScope {
  readonly #turns = new Turns();
  readonly #transactions: Transactions;
  /** What the open transaction has been told; unknown after a savepoint, which takes back what was told since. */
  #told: string | undefined = NOBODY;

  constructor(
    private readonly scoped: ScopedRunner,
    private readonly scopings: Scopings,
    private readonly sessions: Sessions,
    private readonly connectionFor: ConnectionFor,
  ) {
    this.#transactions = new Transactions(scoped);
  }

  readonly query = async (
    statement: string,
    parameters: unknown[] = [],
    structured = false,
  ): Promise<unknown> => {
    const send = () => this.scoped.send(statement, parameters, structured);
    const step = transactionStepOf(statement);
    if (step !== undefined) return this.#transaction(send, step);
    if (peekReach()?.kind === 'schema') return this.#turns.take(send);
    if (this.connectionFor === 'everyone') return this.#asEveryone(send);
    const scoping = this.scopings.of(statement);
    if (scoping.kind === 'transaction') return this.#transaction(send, scoping.does);
    if (scoping.kind === 'free') return this.free(send);
    const reach = currentReach();
    if (reach.kind !== 'tenant') throw otherConnection();
    checkOwn(scoping, parameters, reach.tenant);
    return this.#turns.take(() => this.#asTenant(reach.tenant, scoping, parameters, structured));
  };

  /**
   * Sends what names no table of a tenant. A function of the application may read one all the same: in a transaction that
   * was told a tenant it finds the rows of whoever asks now.
   */
  free<T>(send: () => Promise<T>): Promise<T> {
    return this.#turns.take(async () => {
      const isTold = this.scoped.runner.isTransactionActive && this.#told !== NOBODY;
      if (isTold) await this.#tell(peekTenant() ?? NOBODY);
      return send();
    });
  }

  async #transaction(send: () => Promise<unknown>, step: TransactionStep): Promise<unknown> {
    if (step === 'begin' && this.#isBegunByHand())
      throw new TenancyError(
        'unscopable',
        'A transaction was begun by hand: write startTransaction() or transaction(…).',
      );
    if (step === 'commit') await this.#transactions.beforeCommit();
    return this.#turns.take(async () => {
      this.#told = step === 'mark' ? undefined : NOBODY;
      const result = await send();
      if (step === 'begin') this.#transactions.begin();
      return result;
    });
  }

  #isBegunByHand(): boolean {
    return !this.scoped.runner.isTransactionActive && peekReach()?.kind !== 'schema';
  }

  #asEveryone(send: () => Promise<unknown>): Promise<unknown> {
    if (currentReach().kind !== 'everyone') throw otherConnection();
    return this.#turns.take(send);
  }

  async #asTenant(
    tenant: string,
    scoping: ScopedStatement,
    parameters: readonly unknown[],
    structured: boolean,
  ): Promise<unknown> {
    const statement = render(scoping.sql, `$${parameters.length + 1}`);
    const all = hasTenant(scoping.sql) ? [...parameters, tenant] : [...parameters];
    const send = async () => {
      const result = await this.scoped.send(statement, all, structured);
      checkUpserts(scoping, result);
      return result;
    };
    if (!this.scoped.runner.isTransactionActive) return this.#inTransaction(tenant, send);
    await this.#tell(tenant);
    return send();
  }

  async #tell(tenant: string): Promise<void> {
    if (this.#told === tenant) return;
    this.#told = undefined;
    await this.sessions.tell(this.scoped, tenant);
    this.#told = tenant;
  }

  async #inTransaction(tenant: string, send: () => Promise<unknown>): Promise<unknown> {
    await this.scoped.send('START TRANSACTION', [], false);
    try {
      await this.sessions.tell(this.scoped, tenant);
      const result = await send();
      await this.scoped.send('COMMIT', [], false);
      return result;
    } catch (error) {
      await this.#rollBack();
      throw error;
    }
  }

  /** A connection that cannot roll back must not go back to the pool. */
  async #rollBack(): Promise<void> {
    try {
      await this.scoped.send('ROLLBACK', [], false);
    } catch {
      // The error to report is the one that led here; this connection serves nobody any more.
      await this.scoped.discard();
    }
  }
}

/** One after the other: what is set for one statement is not there for another that was sent meanwhile. */
class Turns {
  readonly #mine = new AsyncLocalStorage<true>();
  #last: Promise<unknown> = Promise.resolve();

  take<T>(work: () => Promise<T>): Promise<T> {
    // A subscriber that queries while its query is being sent would wait for itself.
    if (this.#mine.getStore() === true) return work();
    const turn = this.#last.then(() => this.#mine.run(true, work));
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

function otherConnection(): TenancyError {
  return new TenancyError(
    'other_connection',
    'A query runner or transaction was used for other rows than those it was begun for: ' +
      'begin it within the function that is given to acrossTenants.',
  );
}
