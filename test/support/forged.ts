import { createSign, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, type CryptoKey, type JWK } from 'jose';
import { RESOURCE, type Json } from './messages.js';

type Respond = (response: ServerResponse, request: IncomingMessage) => unknown;

export interface ForgingKey {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly jwk: JWK;
}

export async function forgingKey(alg: string, kid: string): Promise<ForgingKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, kid, privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), alg, use: 'sig', kid } };
}

let serial = 0;

/** A real issuer over HTTP that answers as a test wants it to, and keeps a list of what it was asked. */
export class ForgedIssuer {
  readonly requests: string[] = [];
  readonly overrides = new Map<string, Respond>();
  keys: JWK[] = [];

  private constructor(
    private readonly server: Server,
    readonly key: ForgingKey,
  ) {
    this.keys = [key.jwk];
  }

  static async start(kid = 'key-1'): Promise<ForgedIssuer> {
    const server = createServer();
    const issuer = new ForgedIssuer(server, await forgingKey('ES256', kid));
    server.on('request', (request, response) => issuer.#answer(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return issuer;
  }

  get url(): string {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('The issuer does not listen.');
    return `http://127.0.0.1:${address.port}`;
  }

  header(changes: Json = {}): Json {
    return { alg: 'ES256', typ: 'at+jwt', kid: this.key.kid, ...changes };
  }

  claims(changes: Json = {}): Json {
    const now = Math.floor(Date.now() / 1000);
    serial += 1;
    return {
      iss: this.url,
      aud: RESOURCE,
      sub: 'alice',
      client_id: 'agent-1',
      tenant: 'acme',
      scope: 'crm:read',
      jti: `forged-${serial}`,
      iat: now - 60,
      exp: now + 600,
      ...changes,
    };
  }

  /** As it should be, but for what is changed; `undefined` leaves a member out. */
  token(claims: Json = {}, header: Json = {}, key: ForgingKey = this.key): Promise<string> {
    return signText(JSON.stringify(this.header(header)), JSON.stringify(this.claims(claims)), key);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    this.requests.push(path);
    const override = this.overrides.get(path);
    if (override !== undefined) override(response, request);
    else if (path === '/jwks') sendJson(response, { keys: this.keys });
    else if (path.startsWith('/.well-known/'))
      sendJson(response, { issuer: this.url, jwks_uri: `${this.url}/jwks` });
    else response.writeHead(404).end();
  }
}

export function sendJson(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

export function encoded(text: string): string {
  return Buffer.from(text).toString('base64url');
}

/** Signs any text as header and payload, with ES256 and no opinion on it. */
export async function signText(header: string, payload: string, key: ForgingKey): Promise<string> {
  const input = `${encoded(header)}.${encoded(payload)}`;
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
  const signature = await crypto.subtle.sign(algorithm, key.privateKey, Buffer.from(input));
  return `${input}.${Buffer.from(signature).toString('base64url')}`;
}

/** Signs with RSA of any size, which no library that is any good would. */
export function signRsa(header: Json, claims: Json, key: KeyObject): string {
  const input = `${encoded(JSON.stringify(header))}.${encoded(JSON.stringify(claims))}`;
  return `${input}.${createSign('SHA256').update(input).sign(key).toString('base64url')}`;
}

/** One part of a token replaced. */
export function withPart(token: string, index: 0 | 1 | 2, part: string): string {
  return token
    .split('.')
    .map((old, at) => (at === index ? part : old))
    .join('.');
}

/** The same signature, spelled with other unused bits. */
export function withSlackBits(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return token.slice(0, -1) + alphabet[alphabet.indexOf(token.at(-1) ?? '') + 1];
}

/** Whatever is written to standard output and error, by whichever way. */
export class OutputCapture {
  readonly lines: string[] = [];
  readonly #undo: (() => void)[] = [];

  constructor() {
    for (const stream of [process.stdout, process.stderr]) {
      const write = stream.write.bind(stream);
      stream.write = (chunk: string | Uint8Array, ...rest: never[]) => {
        this.lines.push(Buffer.from(chunk as string).toString());
        return write(chunk, ...rest);
      };
      this.#undo.push(() => (stream.write = write));
    }
    for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
      const write = console[method];
      console[method] = (...parts: unknown[]) => void this.lines.push(parts.map(String).join(' '));
      this.#undo.push(() => (console[method] = write));
    }
  }

  stop(): void {
    for (const undo of this.#undo) undo();
  }
}

const PIECE = 16;

/** Every piece of a credential that is long enough to be of use to anybody. */
function piecesOf(credential: string): string[] {
  const parts = credential.split(/[\s.]+/).filter((part) => part.length >= PIECE);
  return parts.flatMap((part) =>
    Array.from({ length: Math.floor(part.length / PIECE) }, (_, at) =>
      part.slice(at * PIECE, (at + 1) * PIECE),
    ),
  );
}

/** What of a credential stands in any of these texts. */
export function foundOf(credential: string, texts: readonly string[]): string[] {
  return piecesOf(credential).filter((piece) => texts.some((text) => text.includes(piece)));
}

/** All that SQLite has written. */
export function bytesOfDatabase(file: string): string {
  return [file, `${file}-wal`]
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'latin1'))
    .join('');
}
