import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { RESOURCE } from './messages.js';

/** Whom a token speaks of, and what else a test wants to say in it. */
export interface TokenRequest {
  readonly sub?: string;
  readonly tenant?: string;
  readonly roles?: readonly string[];
  readonly scope?: string;
  readonly client?: string;
  /** Claims as they are; `undefined` leaves one out. */
  readonly claims?: Record<string, unknown>;
  /** Header parameters as they are. */
  readonly header?: Record<string, unknown>;
  /** Signs with another key than the one that is published. */
  readonly key?: CryptoKey;
  /** Seconds the token is good for; negative: it has expired. Default 600. */
  readonly lives?: number;
}

let serial = 0;

/** A real issuer: metadata and keys over HTTP on the loopback, and tokens signed with ES256. */
export class TestIssuer {
  private constructor(
    private readonly server: Server,
    private readonly privateKey: CryptoKey,
    private readonly jwk: JWK,
  ) {}

  static async start(): Promise<TestIssuer> {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), alg: 'ES256', use: 'sig', kid: 'key-1' };
    const server = createServer();
    const issuer = new TestIssuer(server, privateKey, jwk);
    server.on('request', (request, response) => {
      const document = issuer.#documentAt(request.url ?? '');
      response.writeHead(document === undefined ? 404 : 200, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(document ?? {}));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return issuer;
  }

  get url(): string {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('The issuer does not listen.');
    return `http://127.0.0.1:${address.port}`;
  }

  async token(request: TokenRequest = {}): Promise<string> {
    const header = { alg: 'ES256', typ: 'at+jwt', kid: 'key-1', ...request.header };
    return new SignJWT(this.claims(request)).setProtectedHeader(header).sign(request.key ?? this.privateKey);
  }

  claims({
    sub = 'alice',
    tenant,
    roles,
    scope,
    client = 'agent-1',
    claims,
    lives = 600,
  }: TokenRequest = {}) {
    const now = Math.floor(Date.now() / 1000);
    serial += 1;
    const all: Record<string, unknown> = {
      iss: this.url,
      aud: RESOURCE,
      sub,
      client_id: client,
      jti: `token-${serial}`,
      iat: Math.min(now, now + lives - 300),
      exp: now + lives,
      tenant,
      roles,
      scope,
      ...claims,
    };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  #documentAt(path: string): unknown {
    if (path === '/jwks') return { keys: [this.jwk] };
    if (path.startsWith('/.well-known/')) return { issuer: this.url, jwks_uri: `${this.url}/jwks` };
    return undefined;
  }
}
