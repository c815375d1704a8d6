import type { Principal } from 'sallyport';
import { tenantOf } from './tenant-of.js';

/** A person within a tenant: whose mail, calendar and tasks a call is about. */
export interface Owner {
  readonly tenant: string;
  /** The subject of the caller. One tenant's people come from one issuer, so that tenant and subject name one person. */
  readonly subject: string;
}

/** The caller as the owner of rows. */
export function ownerOf(caller: Principal): Owner {
  return { tenant: tenantOf(caller), subject: caller.subject };
}
