import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeJwt, decodeProtectedHeader, importJWK, SignJWT } from 'jose';
import type { JWTPayload } from 'jose';
import { z } from 'zod';
import { findPerson } from '../../src/development-provider/people.js';
import { requestToken } from '../../src/development-provider/token.command.js';
import { ProviderProcess } from '../support/development-provider.js';
import type { ServerProcess } from '../support/server-process.js';

/** Somebody with a token, and what the audit should know of them. */
export interface Caller {
  readonly token: string;
  readonly kind: 'user' | 'api-key';
  /** Who vouches for the subject. */
  readonly issuer: string;
  readonly subject: string;
  readonly tenant: string;
  /** `null`: the credential names none. */
  readonly client: string | null;
  /** The id of the credential, such as a `jti`; `null`: it has none. */
  readonly credential: string | null;
  readonly scopes: readonly string[];
}

/** The whole flow against the provider of the server: discovery, registration, sign-in, consent, code, token. */
export async function signIn(server: ServerProcess, as: string, scopes: readonly string[]): Promise<Caller> {
  const { access_token: token } = await requestToken({
    as,
    scope: scopes.join(' '),
    url: server.url,
    dataDirectory: server.dataDirectory,
  });
  return callerOf(server, as, token, scopes);
}

/** A person with a token of the server's own provider. */
export function callerOf(
  server: ServerProcess,
  person: string,
  token: string,
  scopes: readonly string[],
): Caller {
  const tenant = findPerson(person)?.tenant ?? '';
  const { client_id: client, jti: credential = null } = decodeJwt<{ client_id: string }>(token);
  const who = { kind: 'user', issuer: `${server.url}/idp`, subject: person, tenant } as const;
  return { ...who, token, client, credential, scopes };
}

/** A real token of the server's own provider, for another audience (`/other`), which it issues for this very purpose. */
export async function tokenForOtherAudience(server: ServerProcess): Promise<string> {
  const { access_token } = await requestToken({
    as: 'priya',
    scope: 'email:read',
    url: server.url,
    resource: `${server.url}/other`,
    dataDirectory: server.dataDirectory,
  });
  return access_token;
}

/**
 * A real token of another real provider, with keys and a port of its own, in this process. It is set up for the
 * resource of our server, so that the audience is right and the issuer alone is wrong.
 */
export async function tokenOfOtherIssuer(server: ServerProcess): Promise<string> {
  const dataDirectory = join(server.dataDirectory, 'other-issuer');
  const provider = await ProviderProcess.start({ resource: server.resource, dataDirectory });
  try {
    const { tokens } = await provider.signIn({ as: 'priya', scope: 'email:read', resource: server.resource });
    if (tokens === undefined) throw new Error('The other provider gave no token.');
    return tokens.access_token;
  } finally {
    await provider.stop();
  }
}

const keysFile = z.object({ jwks: z.object({ keys: z.array(z.looseObject({ kty: z.string() })).min(1) }) });

/**
 * The one token here that no provider issued: waiting for a real one to expire takes an hour. It is a real token signed
 * again with the provider's own key from the data directory, with the same header and claims, and other times; `claims`
 * are those that are to be others. The
 * story shows that one made in the same way that is still good is taken, so nothing but the time is wrong with it.
 */
export async function resignedToken(
  server: ServerProcess,
  token: string,
  secondsLeft: number,
  claims: JWTPayload = {},
): Promise<string> {
  const text = await readFile(join(server.dataDirectory, 'development-provider.keys.json'), 'utf8');
  const [jwk] = keysFile.parse(JSON.parse(text)).jwks.keys;
  if (jwk === undefined) throw new Error('The provider has no key.');
  const { alg = '', ...header } = decodeProtectedHeader(token);
  const expires = Math.floor(Date.now() / 1000) + secondsLeft;
  return new SignJWT({ ...decodeJwt(token), ...claims, iat: expires - 3600, exp: expires })
    .setProtectedHeader({ alg, ...header })
    .sign(await importJWK(jwk, alg));
}
