import type { ScopedRunner } from '../scoped-runner.js';
import { TENANT_SETTING } from '../sql/tenant-setting.js';
import { TenancyError } from '../tenancy.errors.js';

/**
 * What decides about a session whose rows it sees, which tables it means, and how it reads a statement. A session that has
 * temporary tables or views can take them for the real ones.
 */
function session(hasTemporary: string): string {
  return `concat_ws(' ', current_user, current_setting('row_security'),
    current_setting('standard_conforming_strings'), current_setting('default_transaction_read_only'),
    ${hasTemporary}, current_setting('search_path')) AS "session"`;
}

const TELL = `SELECT set_config($1, $2, true), ${session('pg_my_temp_schema() <> 0')}`;

/** A session as it is at boot, when it has nothing temporary yet that others would see. `fit`: nothing is set that must not be. */
export const SESSION = `
  SELECT ${session('false')},
    current_setting('row_security') = 'on' AND current_setting('standard_conforming_strings') = 'on'
      AND coalesce(current_setting('${TENANT_SETTING}', true), '') = '' AS "fit"`;

export interface SessionRow {
  readonly session: string;
  readonly fit: boolean;
}

/**
 * The sessions of one `DataSource`, which has a pool of them: each is as it was at boot, or it is not used. Asked in the
 * statement that tells the tenant, so it costs no way to the database of its own.
 */
export class Sessions {
  readonly #known = new Set<string>();

  /** Takes a session for one that is in order. */
  add(session: string): void {
    this.#known.add(session);
  }

  /**
   * Tells the open transaction the tenant.
   *
   * @throws TenancyError `connection_changed`; the connection is closed
   */
  async tell(scoped: ScopedRunner, tenant: string): Promise<void> {
    const told = await scoped.send(TELL, [TENANT_SETTING, tenant], false);
    const first: unknown = Array.isArray(told) ? told[0] : undefined;
    const session: unknown =
      typeof first === 'object' && first !== null ? Reflect.get(first, 'session') : undefined;
    if (typeof session === 'string' && this.#known.has(session)) return;
    await scoped.discard();
    throw new TenancyError(
      'connection_changed',
      'A connection was not as it was at boot (its role, row_security, search_path, standard_conforming_strings, ' +
        'default_transaction_read_only, or temporary tables), and was closed: write SET LOCAL, in a transaction.',
    );
  }
}
