import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import { isRecord } from '../is-record.js';
import { FetchFailed, fetchJson } from './fetch-json.js';

/** Finds the keys for a header; made by jose, which respects `alg`, `use`, `key_ops` and `kid` of each key. */
export type KeySet = ReturnType<typeof createLocalJWKSet>;

const MAX_KEYS = 100;

/**
 * Where the metadata of an issuer may be: RFC 8414 §3.1, which inserts the well-known part before the path, and OpenID
 * Connect Discovery §4, which appends it.
 */
export function metadataUrls(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  return [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ];
}

/**
 * Discovers the issuer and reads its key set.
 *
 * @throws {@link FetchFailed} saying why, for the log
 */
export async function loadKeySet(issuer: string, signal: AbortSignal): Promise<KeySet> {
  const address = await discover(issuer, 'jwks_uri', signal);
  const document = await fetchJson(address, signal);
  if (!isKeySet(document))
    throw new FetchFailed(address, `is not a JSON Web Key Set of 1 to ${MAX_KEYS} keys`);
  return createLocalJWKSet(document);
}

/**
 * An address from the metadata of an issuer.
 *
 * @throws {@link FetchFailed} saying why, for the log
 */
export async function discover(
  issuer: string,
  member: 'jwks_uri' | 'introspection_endpoint',
  signal: AbortSignal,
): Promise<string> {
  const failures: string[] = [];
  for (const address of metadataUrls(issuer)) {
    try {
      return memberOf(await fetchJson(address, signal), member, issuer, address);
    } catch (error) {
      if (!(error instanceof FetchFailed)) throw error;
      failures.push(error.message);
    }
  }
  throw new FetchFailed(issuer, `has no usable metadata: ${failures.join('; ')}`);
}

function memberOf(metadata: unknown, member: string, issuer: string, address: string): string {
  if (!isRecord(metadata)) throw new FetchFailed(address, 'is not a JSON object');
  // RFC 8414 §3.3: identical, or the document belongs to somebody else.
  if (metadata['issuer'] !== issuer) {
    const named = JSON.stringify(metadata['issuer'])?.slice(0, 200);
    throw new FetchFailed(address, `names the issuer ${named}, but ${JSON.stringify(issuer)} is configured`);
  }
  const uri = metadata[member];
  if (typeof uri !== 'string') throw new FetchFailed(address, `has no "${member}"`);
  return uri;
}

function isKeySet(value: unknown): value is JSONWebKeySet {
  return (
    isRecord(value) &&
    Array.isArray(value['keys']) &&
    value['keys'].length > 0 &&
    value['keys'].length <= MAX_KEYS &&
    value['keys'].every(isRecord)
  );
}
