import type { Principal } from 'sallyport';

/**
 * The tenant whose rows a call may touch. It comes from the credential; no argument can name another.
 *
 * @throws Error when the caller has none. The gate refuses such a call long before; this is for a policy that was
 *   loosened by mistake.
 */
export function tenantOf(caller: Principal | undefined): string {
  const tenant = caller?.tenant;
  if (tenant === undefined || tenant === '')
    throw new Error('This entry needs a caller that belongs to a tenant.');
  return tenant;
}
