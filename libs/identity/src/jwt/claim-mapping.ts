import { isRecord } from '../is-record.js';
import type { VerifiedAccessToken } from './access-token.verifier.js';
import { assertNotUserEditable, claimAt, claimPaths, firstClaimAt, type ClaimPath } from './claim-path.js';
import { signInOf } from './sign-in.js';
import { CLIENT_CLAIMS } from './token-rules.js';

/** Which claim means what. Each is a claim name, or a JSON Pointer such as `/realm_access/roles`. */
export interface ClaimMapping {
  /** The first that is present. What is named must never be given to somebody else. Default `sub`. */
  readonly subject?: ClaimPath | readonly ClaimPath[] | undefined;
  /** The first that is present; a space-separated string or an array. Default `scope`, then `scp`. */
  readonly scopes?: ClaimPath | readonly ClaimPath[] | undefined;
  /** All of them together; a string or an array each. Default `roles`. */
  readonly roles?: ClaimPath | readonly ClaimPath[] | undefined;
  /** Default `tenant`. */
  readonly tenant?: ClaimPath | undefined;
  /** The first that is present. Default `client_id`, then `azp`. */
  readonly client?: ClaimPath | readonly ClaimPath[] | undefined;
  /**
   * Written before each scope, for a provider whose clients must ask for more than the token says: Entra ID is asked for
   * `api://acme-mcp/crm:read` and says `crm:read`. Default: nothing.
   */
  readonly scopePrefix?: string | undefined;
  /**
   * Was this token given to a client without a user? One whose subject is its client always was (RFC 9068 §2.2); this adds
   * to it. Default: nothing.
   */
  readonly withoutUser?: ((claims: Claims) => boolean) | undefined;
}

/** A function from a verified token to what the principal schema judges. */
export type ClaimMapper = (token: Pick<VerifiedAccessToken, 'claims' | 'fingerprint'>) => unknown;

type Claims = VerifiedAccessToken['claims'];

/** @throws TypeError for a mapping that trusts what users can edit */
export function claimMapper(mapping: ClaimMapping = {}): ClaimMapper {
  const subject = claimPaths(mapping.subject ?? 'sub');
  const scopes = claimPaths(mapping.scopes ?? ['scope', 'scp']);
  const roles = claimPaths(mapping.roles ?? 'roles');
  const tenant = mapping.tenant ?? 'tenant';
  const client = claimPaths(mapping.client ?? CLIENT_CLAIMS);
  const { scopePrefix = '', withoutUser = () => false } = mapping;
  assertNotUserEditable(subject, 'subject');
  assertNotUserEditable(scopes, 'scope');
  assertNotUserEditable(roles, 'role');
  assertNotUserEditable([tenant], 'tenant');
  assertNotUserEditable(client, 'client');

  return ({ claims, fingerprint }) => ({
    kind: claims['sub'] === firstClaimAt(claims, client) || withoutUser(claims) ? 'client' : 'user',
    issuer: claims['iss'],
    subject: firstClaimAt(claims, subject),
    client: firstClaimAt(claims, client),
    actors: actorsOf(claims['act']),
    tenant: claimAt(claims, tenant),
    scopes: scopesOf(firstClaimAt(claims, scopes), scopePrefix),
    roles: roles.flatMap((path) => itemsOf(claimAt(claims, path))),
    credential: {
      kind: 'jwt',
      id: claims['jti'] ?? `sha256:${fingerprint}`,
      issuedAt: claims['iat'],
      expiresAt: claims['exp'],
      ...signInOf(claims),
    },
    claims,
  });
}

function scopesOf(value: unknown, prefix: string): unknown {
  const scopes: unknown =
    typeof value === 'string' ? value.split(' ').filter((scope) => scope !== '') : value;
  if (prefix === '' || !Array.isArray(scopes)) return scopes;
  return scopes.map((scope: unknown) => (typeof scope === 'string' ? prefix + scope : scope));
}

/** A value of the wrong type becomes an item of the wrong type, which the schema refuses. */
function itemsOf(value: unknown): unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

/** RFC 8693 §4.1, nearest actor first. Longer than eight is refused by the schema. */
function actorsOf(act: unknown): unknown[] {
  const actors: unknown[] = [];
  for (let link = act; link !== undefined; link = isRecord(link) ? link['act'] : undefined) {
    actors.push(isRecord(link) ? { issuer: link['iss'], subject: link['sub'] } : link);
  }
  return actors;
}
