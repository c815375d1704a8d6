import { AsyncLocalStorage } from 'node:async_hooks';

import { currentReach, peekReach } from '../reach.js';
import type { ScopedRunner } from '../scoped-runner.js';
import { checkOwn, checkUpserts, type Scopings } from '../scopings.js';
import type { ScopedStatement } from '../sql/scope-statement.js';
import { hasTenant, render } from '../sql/scoped-sql.js';
import { TENANT_SETTING } from '../sql/tenant-setting.js';
import { TenancyError } from '../tenancy.errors.js';

const SET_TENANT = 'SELECT set_config($1, $2, true)';

/** Whose rows a connection is for: those of one tenant at a time, or those of all. */
export type ConnectionFor = 'tenant' | 'everyone';

/**
 * Narrows what a runner of PostgreSQL sends, and tells the database the tenant, for the policies of row-level security:
 * always inside a transaction and for that transaction alone, so that nothing of it is left when the connection goes
 * back to the pool, however the transaction ends.
 */
export class PostgresScope {
  readonly #turns = new Turns();
  /** The tenant that the open transaction has been told; unknown after anything that might have taken it back. */
  #told: string | undefined;

  constructor(
    private readonly scoped: ScopedRunner,
    private readonly scopings: Scopings,
    private readonly connectionFor: ConnectionFor,
  ) {}

  readonly query = async (
    statement: string,
    parameters: unknown[] = [],
    structured = false,
  ): Promise<unknown> => {
    const send = () => this.scoped.send(statement, parameters, structured);
    if (peekReach()?.kind === 'schema') return this.#turns.take(send);
    if (this.connectionFor === 'everyone') return this.#asEveryone(send);
    const scoping = this.scopings.of(statement);
    if (scoping.kind === 'transaction') return this.#transaction(send, scoping.begins);
    if (scoping.kind === 'free') return this.#turns.take(send);
    const reach = currentReach();
    if (reach.kind !== 'tenant') throw otherConnection();
    checkOwn(scoping, parameters, reach.tenant);
    return this.#turns.take(() => this.#asTenant(reach.tenant, scoping, parameters, structured));
  };

  /** A savepoint that is rolled back takes the setting with it, so it is made again after any of these. */
  #transaction(send: () => Promise<unknown>, begins: boolean): Promise<unknown> {
    if (begins && !this.scoped.runner.isTransactionActive)
      throw new TenancyError(
        'unscopable',
        'A transaction was begun by hand: write startTransaction() or transaction(…).',
      );
    return this.#turns.take(() => {
      this.#told = undefined;
      return send();
    });
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
    if (this.#told !== tenant) await this.scoped.send(SET_TENANT, [TENANT_SETTING, tenant], false);
    this.#told = tenant;
    return send();
  }

  async #inTransaction(tenant: string, send: () => Promise<unknown>): Promise<unknown> {
    await this.scoped.send('START TRANSACTION', [], false);
    try {
      await this.scoped.send(SET_TENANT, [TENANT_SETTING, tenant], false);
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
