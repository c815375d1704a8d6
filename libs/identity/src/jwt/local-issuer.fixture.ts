import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';

export const RESOURCE = 'https://mcp.acme.example/mcp';
/** 2026-01-01T00:00:00Z: the time at which all tokens of the tests live. */
export const NOW = 1_767_225_600;

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface SigningKey {
  readonly alg: string;
  readonly kid: string | undefined;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

export async function signingKey(
  alg = 'ES256',
  kid: string | undefined = 'key-1',
  more: JWK = {},
): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = {
    ...(await exportJWK(publicKey)),
    alg,
    use: 'sig',
    ...(kid !== undefined && { kid }),
    ...more,
  };
  return { alg, kid, privateKey, jwk };
}

/** A real issuer on a real port: metadata, keys, and a list of every request that reached it. */
export class LocalIssuer {
  readonly requests: string[] = [];
  keys: JWK[] = [];
  path = '';
  metadata: 'oauth' | 'openid' | 'both' = 'both';
  metadataChanges: Record<string, unknown> = {};
  /** Answers instead of the normal answer, by path. */
  readonly overrides = new Map<string, Answer>();
  private constructor(private readonly server: Server) {}

  static async start(): Promise<LocalIssuer> {
    const server = createServer();
    const issuer = new LocalIssuer(server);
    server.on('request', (request, response) => issuer.answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return issuer;
  }

  get origin(): string {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return `http://127.0.0.1:${address.port}`;
  }

  get issuer(): string {
    return `${this.origin}${this.path}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Claims of a token as it should be. */
  claims(changes: Record<string, unknown> = {}): Record<string, unknown> {
    return {
      iss: this.issuer,
      aud: RESOURCE,
      sub: 'ada',
      client_id: 'research-agent',
      iat: NOW - 60,
      exp: NOW + 600,
      jti: 'token-1',
      scope: 'crm:read crm:write',
      ...changes,
    };
  }

  async token(
    key: SigningKey,
    claims: Record<string, unknown> = {},
    header: Record<string, unknown> = {},
  ): Promise<string> {
    return new SignJWT(this.claims(claims))
      .setProtectedHeader({
        alg: key.alg,
        typ: 'at+jwt',
        ...(key.kid !== undefined && { kid: key.kid }),
        ...header,
      })
      .sign(key.privateKey);
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    this.requests.push(path);
    const override = this.overrides.get(path);
    if (override !== undefined) return override(request, response);
    const oauth = `/.well-known/oauth-authorization-server${this.path.replace(/\/$/, '')}`;
    const openid = `${this.path.replace(/\/$/, '')}/.well-known/openid-configuration`;
    if (path === oauth && this.metadata !== 'openid') return json(response, this.document());
    if (path === openid && this.metadata !== 'oauth') return json(response, this.document());
    if (path === '/jwks') return json(response, { keys: this.keys });
    response.writeHead(404).end();
  }

  private document(): Record<string, unknown> {
    return { issuer: this.issuer, jwks_uri: `${this.origin}/jwks`, ...this.metadataChanges };
  }
}

export function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** A request that carries this bearer token. */
export function bearer(token: string) {
  return { headers: { authorization: `Bearer ${token}` }, via: 'http' as const };
}

/** Signs whatever text is given as header and payload, with no opinion on it. */
export async function forge(header: string, payload: string, key: SigningKey): Promise<string> {
  const input = `${encode(header)}.${encode(payload)}`;
  const signature = await crypto.subtle.sign(
    { name: 'ECDSA', hash: 'SHA-256' },
    key.privateKey,
    Buffer.from(input),
  );
  return `${input}.${Buffer.from(signature).toString('base64url')}`;
}

export function encode(text: string): string {
  return Buffer.from(text).toString('base64url');
}
