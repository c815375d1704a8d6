import { createHash } from 'node:crypto';
import { parseStrictJson, StrictJsonError, type CredentialRequest } from '@sallyport/mcp';
import { readAuthorization } from '../bearer.js';
import { isRecord } from '../is-record.js';
import { CredentialRefused } from '../refusals.js';

/** Longest token that is looked at, in characters. Node takes 16 KiB of headers in all. */
const MAX_TOKEN_LENGTH = 16_384;
const JSON_LIMITS = { maxDepth: 16, maxElements: 2_000 };
const BASE64URL = /^[A-Za-z0-9_-]+$/;

/** The parts of a JWT. Nothing here is true before the signature was verified. */
export interface UnverifiedJwt {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  /** SHA-256 over header and payload; not over the signature, which has more than one spelling. */
  readonly fingerprint: string;
}

/**
 * Takes a compact JWS apart: three parts of strict base64url, header and payload strict JSON objects.
 *
 * @throws {@link CredentialRefused} `too_large` or `malformed`
 */
export function parseCompactJwt(token: string): UnverifiedJwt {
  if (token.length > MAX_TOKEN_LENGTH) throw new CredentialRefused('too_large');
  const [header, payload, signature, ...rest] = token.split('.');
  if (header === undefined || payload === undefined || signature === undefined || rest.length > 0) {
    throw new CredentialRefused('malformed');
  }
  decode(signature);
  return {
    header: parseObject(header),
    claims: parseObject(payload),
    fingerprint: createHash('sha256').update(`${header}.${payload}`).digest('hex'),
  };
}

/** The `iss` a bearer JWT claims to have: good for choosing who judges it, and for nothing else. */
export function unverifiedIssuer(request: CredentialRequest): string | undefined {
  const authorization = readAuthorization(request);
  if (authorization.kind !== 'bearer') return undefined;
  try {
    const { iss } = parseCompactJwt(authorization.token).claims;
    return typeof iss === 'string' ? iss : undefined;
  } catch {
    // Whoever judges it will find out why; here it only means that it names nobody.
    return undefined;
  }
}

function parseObject(part: string): Record<string, unknown> {
  const value = parseJson(decode(part));
  if (!isRecord(value)) throw new CredentialRefused('malformed');
  return value;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return parseStrictJson(text, JSON_LIMITS);
  } catch (error) {
    if (error instanceof StrictJsonError || error instanceof TypeError)
      throw new CredentialRefused('malformed');
    throw error;
  }
}

/** RFC 7515 §2 without padding, white space or slack bits (RFC 4648 §3.5): one spelling for one value. */
function decode(part: string): Buffer {
  const bytes = Buffer.from(part, 'base64url');
  if (!BASE64URL.test(part) || bytes.toString('base64url') !== part) throw new CredentialRefused('malformed');
  return bytes;
}
