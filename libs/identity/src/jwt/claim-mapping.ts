import { isRecord } from '../is-record.js';
import type { VerifiedAccessToken } from './access-token.verifier.js';
import { assertNotUserEditable, claimAt, type ClaimPath } from './claim-path.js';

/** Which claim means what. Each is a claim name, or a JSON Pointer such as `/realm_access/roles`. */
export interface ClaimMapping {
  /** The first that is present; a space-separated string or an array. Default `scope`, then `scp`. */
  readonly scopes?: ClaimPath | readonly ClaimPath[] | undefined;
  /** All of them together; a string or an array each. Default `roles`. */
  readonly roles?: ClaimPath | readonly ClaimPath[] | undefined;
  /** Default `tenant`. */
  readonly tenant?: ClaimPath | undefined;
  /** The first that is present. Default `client_id`, then `azp`. */
  readonly client?: ClaimPath | readonly ClaimPath[] | undefined;
}

/** A function from a verified token to what the principal schema judges. */
export type ClaimMapper = (token: VerifiedAccessToken) => unknown;

type Claims = VerifiedAccessToken['claims'];

/** @throws TypeError for a mapping that trusts what users can edit */
export function claimMapper(mapping: ClaimMapping = {}): ClaimMapper {
  const scopes = list(mapping.scopes ?? ['scope', 'scp']);
  const roles = list(mapping.roles ?? 'roles');
  const tenant = mapping.tenant ?? 'tenant';
  const client = list(mapping.client ?? ['client_id', 'azp']);
  assertNotUserEditable(scopes, 'scope');
  assertNotUserEditable(roles, 'role');
  assertNotUserEditable([tenant], 'tenant');
  assertNotUserEditable(client, 'client');

  return ({ claims, fingerprint }) => ({
    kind: kindOf(claims, firstPresent(claims, client)),
    issuer: claims['iss'],
    subject: claims['sub'],
    client: firstPresent(claims, client),
    actors: actorsOf(claims['act']),
    tenant: claimAt(claims, tenant),
    scopes: scopesOf(firstPresent(claims, scopes)),
    roles: roles.flatMap((path) => itemsOf(claimAt(claims, path))),
    credential: {
      kind: 'jwt',
      id: claims['jti'] ?? `sha256:${fingerprint}`,
      issuedAt: claims['iat'],
      expiresAt: claims['exp'],
    },
    claims,
  });
}

/** RFC 9068 §2.2: without a resource owner, `sub` is the client itself. */
function kindOf(claims: Claims, client: unknown): 'user' | 'client' {
  return claims['sub'] === client ? 'client' : 'user';
}

function firstPresent(claims: Claims, paths: readonly ClaimPath[]): unknown {
  return paths.map((path) => claimAt(claims, path)).find((value) => value !== undefined);
}

function scopesOf(value: unknown): unknown {
  return typeof value === 'string' ? value.split(' ').filter((scope) => scope !== '') : value;
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

function list(value: ClaimPath | readonly ClaimPath[]): readonly ClaimPath[] {
  return typeof value === 'string' ? [value] : value;
}
