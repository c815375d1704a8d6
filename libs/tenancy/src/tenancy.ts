import { currentCall, thisProcess, uuidV7, type AuditTrail, type ServerIdentity } from '@sallyport/mcp';

import { withReach, type Reach } from './reach.js';
import { TenancyError } from './tenancy.errors.js';

/** Why work reaches for rows that are not those of its caller. */
export interface CrossingOptions {
  /** A sentence for whoever reads the audit: `nightly export`. */
  readonly reason: string;
}

/** Longest stored reason, in UTF-16 units: what fits in one field of a record. */
const LONGEST_REASON = 500;

/**
 * Says whose rows work reaches that runs outside of a call, or beyond the caller's tenant: explicitly, with a reason, and
 * on the record (`tenancy.crossed`) before it starts. Who did it is the principal of the call, or the server itself.
 *
 * @example
 * ```ts
 * await tenancy.within('acme', { reason: 'import of 3 May' }, () => this.records.save(rows));
 * await tenancy.acrossTenants({ reason: 'nightly export' }, () => this.records.find());
 * ```
 */
export class Tenancy {
  constructor(
    private readonly trail: AuditTrail,
    private readonly server: ServerIdentity,
  ) {}

  /**
   * Runs `work` with the rows of one tenant.
   *
   * @throws TenancyError `no_reason`, `no_tenant`, or `not_recorded`; the work did not start
   */
  async within<T>(tenant: string, options: CrossingOptions, work: () => Promise<T>): Promise<T> {
    if (tenant === '')
      throw new TenancyError('no_tenant', "Name the tenant: within('acme', { reason }, work).");
    return this.#cross({ kind: 'tenant', tenant }, tenant, options, work);
  }

  /**
   * Runs `work` with the rows of every tenant. A new row must then say its tenant. On PostgreSQL this goes over the
   * connection of `tenancy.across`, and so not within a transaction that was begun before.
   *
   * @throws TenancyError `no_reason`, or `not_recorded`; the work did not start
   */
  async acrossTenants<T>(options: CrossingOptions, work: () => Promise<T>): Promise<T> {
    return this.#cross({ kind: 'everyone' }, '*', options, work);
  }

  async #cross<T>(
    reach: Reach,
    target: string,
    { reason }: CrossingOptions,
    work: () => Promise<T>,
  ): Promise<T> {
    if (typeof reason !== 'string' || reason.trim() === '' || reason.length > LONGEST_REASON)
      throw new TenancyError(
        'no_reason',
        `Say why, in 1 to ${LONGEST_REASON} characters: { reason: 'nightly export' }.`,
      );
    await this.#record(reach, target, reason);
    return withReach(reach, work);
  }

  async #record({ kind }: Reach, target: string, reason: string): Promise<void> {
    const call = currentCall();
    try {
      await this.trail.record({
        kind: 'administration',
        id: uuidV7(),
        at: new Date(),
        server: this.server,
        via: call?.via ?? 'cli',
        address: call?.address,
        actor: call === undefined ? thisProcess('sallyport:server') : call.principal,
        action: 'tenancy.crossed',
        target,
        details: { reach: kind, reason, ...(call !== undefined && { call: call.id }) },
      });
    } catch (cause) {
      throw new TenancyError(
        'not_recorded',
        'Rows of other tenants were not reached for, because that could not be recorded.',
        { cause },
      );
    }
  }
}
