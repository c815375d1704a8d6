import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';

/** Scopes and roles that reach the tools by way of the hierarchies the server is configured with. */
export const GRANT = { scope: 'bench:all', roles: ['bench:admin'], tenant: 'acme' };

export interface Issuer {
  readonly url: string;
  /** A fresh access token for this resource (RFC 9068), of a user of its own. */
  token(resource: string): Promise<string>;
  close(): void;
}

/**
 * The least that `oidc({ issuer })` can discover: metadata and one ES256 key. Not a provider: nobody signs in, whoever
 * holds this object mints tokens. Each server asks it once, when its first token comes.
 */
export async function startIssuer(): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'bench', alg: 'ES256', use: 'sig' }];
  const server = createServer((request, response) => {
    if (request.url === '/jwks') answer(response, { keys });
    else if (request.url === METADATA) answer(response, { issuer: url, jwks_uri: `${url}/jwks` });
    else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('A TCP server has a port.');
  const url = `http://127.0.0.1:${address.port}`;
  return {
    url,
    token: (resource) => mint(privateKey, url, resource),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

const METADATA = '/.well-known/oauth-authorization-server';

async function mint(key: CryptoKey, issuer: string, audience: string): Promise<string> {
  return new SignJWT({ ...GRANT, client_id: 'bench-agent' })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'bench' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(crypto.randomUUID())
    .setJti(crypto.randomUUID())
    .setIssuedAt()
    .setExpirationTime('30m')
    .sign(key);
}

function answer(response: ServerResponse, document: object): void {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(document));
}
