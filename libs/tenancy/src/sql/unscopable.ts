import { TenancyError } from '../tenancy.errors.js';

/** Says what of a statement cannot be narrowed to one tenant, in words that complete "it has …". */
export function unscopable(what: string): TenancyError {
  return new TenancyError(
    'unscopable',
    `A statement cannot be scoped to a tenant: it has ${what}. Write it with a repository or a query builder, ` +
      'or do it in background work with tenancy.acrossTenants({ reason }, …).',
  );
}
