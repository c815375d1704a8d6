import { isIP } from 'node:net';

import type { ReadRecord } from '../../reading/read-record.js';
import { present, type OcsfEvent } from './ocsf-class.js';

const USER = { type_id: 1, type: 'User' };
const SERVICE = { type_id: 4, type: 'Service' };
const ANONYMOUS = { name: 'anonymous', type_id: 0, type: 'Unknown' };

/** Who calls, and for which client; `anonymous` where nobody has signed in. */
export function actorOf(record: ReadRecord): OcsfEvent {
  const { client, issuer, credential } = record;
  return present({
    user: userOf(record),
    app_uid: client,
    ...(issuer !== null && { idp: { uid: issuer, issuer } }),
    ...(credential !== null && { session: present({ uid: credential, issuer }) }),
  });
}

/** Somebody by their subject; `anonymous` where nobody has signed in. */
export function userOf({ principalKind, subject, tenant }: ReadRecord): OcsfEvent {
  if (principalKind === null || subject === null) return ANONYMOUS;
  return {
    uid: subject,
    name: subject,
    ...(principalKind === 'user' ? USER : SERVICE),
    ...(tenant !== null && { org: { uid: tenant } }),
  };
}

/** From where: an address where there is one that can be read, and the way otherwise. */
export function sourceOf({ address, via }: ReadRecord): OcsfEvent {
  const ip = plainAddress(address);
  return ip === undefined ? { name: address ?? via } : { ip };
}

/** The server that was called. */
export function serviceOf({ server, resource }: ReadRecord): OcsfEvent {
  return { name: server, uid: resource };
}

const MAPPED_IPV4 = /^::ffff:(?=\d+\.)/i;

/** A socket for both families gives IPv4 addresses in IPv6 clothes. Undefined for a network, and for what is erased. */
function plainAddress(address: string | null): string | undefined {
  const plain = address?.replace(MAPPED_IPV4, '') ?? '';
  return isIP(plain) === 0 ? undefined : plain;
}
