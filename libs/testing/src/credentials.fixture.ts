import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type CryptoKey } from 'jose';

export const RESOURCE = 'https://mcp.acme.example/mcp';

/** Signs tokens with RS256, and says with which key they are verified. */
export class Signer {
  private constructor(
    private readonly privateKey: CryptoKey,
    readonly publicKey: CryptoKey,
    readonly pem: string,
  ) {}

  static async make(): Promise<Signer> {
    const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
    return new Signer(privateKey, publicKey, await exportSPKI(publicKey));
  }

  /** A token of this subject, good for `lives` seconds. */
  async token(issuer: string, sub: string, lives = 600): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: issuer, aud: RESOURCE, sub, client_id: 'agent', jti: `${sub}-1`, ws: 'acme' };
    return new SignJWT({ ...claims, iat: now - 3600, exp: now + lives })
      .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: 'key-1' })
      .sign(this.privateKey);
  }

  async headers(issuer: string, sub: string, lives?: number) {
    return { Authorization: `Bearer ${await this.token(issuer, sub, lives)}` };
  }
}

/** A real issuer on the loopback: metadata and keys. */
export class LocalIssuer {
  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(signer: Signer): Promise<LocalIssuer> {
    const jwk = { ...(await exportJWK(signer.publicKey)), alg: 'RS256', use: 'sig', kid: 'key-1' };
    const server = createServer((request, response) => {
      const url = `http://${request.headers.host}`;
      const document = request.url === '/jwks' ? { keys: [jwk] } : { issuer: url, jwks_uri: `${url}/jwks` };
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(document));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('The issuer does not listen.');
    return new LocalIssuer(server, `http://127.0.0.1:${address.port}`);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
