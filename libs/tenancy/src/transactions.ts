import { isReaching } from './reach.js';
import type { ScopedRunner } from './scoped-runner.js';
import { TenancyError } from './tenancy.errors.js';

/**
 * Ends what belongs to a call, or to `within`, together with that: a transaction that nobody awaited is rolled back, not
 * committed, when the work it was begun for is over. Ending it is let through always: one that stays open would be that of
 * whoever comes next.
 */
export class Transactions {
  #begunReaching = false;

  constructor(private readonly scoped: ScopedRunner) {}

  begin(): void {
    this.#begunReaching = isReaching();
  }

  /** @throws TenancyError `reach_over`, when it has rolled back instead */
  async beforeCommit(): Promise<void> {
    if (!this.#begunReaching || isReaching()) return;
    const { runner, send } = this.scoped;
    // So that the runner knows as well.
    if (runner.isTransactionActive) await runner.rollbackTransaction();
    else await send('ROLLBACK', [], false);
    throw new TenancyError(
      'reach_over',
      'A transaction was to be committed after the call, or the work within a tenant, that it was begun for; it was ' +
        'rolled back: await it there.',
    );
  }
}
