import { SignJWT } from 'jose';
import type { ServerProcess } from '../support/server-process.js';
import type { Caller } from './tokens.js';

const ISSUER = 'office:partners';
const PARTNER = { subject: 'weiss-logistics', tenant: 'acme', scopes: ['tickets:read'] };

/**
 * What a system outside of the office gives its users: signed with the secret that it shares with the server, and with
 * claims of its own, which a Passport strategy of the office has always read.
 */
export async function partnerToken({ environment, resource }: ServerProcess): Promise<Caller> {
  const { subject, tenant, scopes } = PARTNER;
  const claims = { workspace: tenant, scope: scopes.join(' '), roles: ['agent:read-only'] };
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(ISSUER)
    .setAudience(resource)
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(new TextEncoder().encode(environment['PARTNER_JWT_SECRET']));
  const who = { kind: 'user', issuer: ISSUER, subject: `partner:${subject}`, tenant } as const;
  return { ...who, token, client: null, credential: null, scopes };
}
