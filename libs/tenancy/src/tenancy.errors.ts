/** Why rows were not reached. Stable, for tests and tools. */
export type TenancyErrorCode =
  /** Outside of a call, and of `within` and `acrossTenants`. */
  | 'no_call'
  /** The caller belongs to no tenant. */
  | 'no_tenant'
  /** Work went on after the `within` or `acrossTenants` it belongs to had ended. */
  | 'reach_over'
  /** A statement that cannot be scoped to one tenant. */
  | 'unscopable'
  /** A row was to be written for another tenant than that of the caller. */
  | 'other_tenant'
  /** A row was to be moved to a tenant. */
  | 'tenant_column'
  /** An upsert met a row that is not the caller's to overwrite. */
  | 'conflict'
  /** The reason for reaching beyond one's own rows is missing. */
  | 'no_reason'
  /** The reason could not be recorded. */
  | 'not_recorded'
  /** PostgreSQL: rows of every tenant need a connection of their own. */
  | 'no_across_connection'
  /** A query runner was used for other rows than those it was made for. */
  | 'other_connection'
  /** PostgreSQL: something has changed the session of a connection. It was closed. */
  | 'connection_changed'
  /** The `DataSource` has rows of tenants, and is not scoped, or not yet. */
  | 'not_scoped';

/**
 * Rows of a tenant were asked for in a way that cannot be answered. Nothing was read or written. The message says what
 * to write instead, for the developer: it holds no SQL, no value and no secret, and callers get a reference alone.
 */
export class TenancyError extends Error {
  override readonly name = 'TenancyError';

  constructor(
    readonly code: TenancyErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
