import type { CredentialRequest } from '@sallyport/mcp';

/** What the `Authorization` header holds. */
export type AuthorizationHeader =
  | { readonly kind: 'none' }
  | { readonly kind: 'bearer'; readonly token: string }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'other' };

/** `Bearer`, in any case (RFC 9110 §11.1), and one b64token (RFC 6750 §2.1). */
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i;
const SCHEME = /^bearer(?:\s|$)/i;

/** Reads the header, the only place a bearer token may stand in: never the query, never the body. */
export function readAuthorization(request: Pick<CredentialRequest, 'headers'>): AuthorizationHeader {
  const header = request.headers['authorization'];
  if (header === undefined) return { kind: 'none' };
  if (typeof header !== 'string') return { kind: 'malformed' };
  const token = BEARER.exec(header)?.[1];
  if (token !== undefined) return { kind: 'bearer', token };
  return SCHEME.test(header) || header.trim() === '' ? { kind: 'malformed' } : { kind: 'other' };
}

/** Does the request carry `Authorization: Bearer …`? */
export function hasBearer(request: CredentialRequest): boolean {
  return readAuthorization(request).kind === 'bearer';
}
