import type { CredentialRequest } from '@sallyport/mcp';
import { readAuthorization } from './bearer.js';
import type { IdentitySource } from './identity.source.js';
import { parseCompactJwt, unverifiedIssuer } from './jwt/compact-jwt.js';
import { CredentialRefused, type RefusalCode } from './refusals.js';

export type SourceChoice<Source> =
  | { readonly kind: 'source'; readonly source: Source }
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'failed'; readonly reason: RefusalCode; readonly source?: string };

/**
 * Chooses the one source that judges a request. A JWT goes to the source of its issuer; otherwise the first source that
 * accepts decides. There is no second opinion: a credential that one source refuses is never shown to another.
 */
export function pickSource<Source extends IdentitySource>(
  sources: readonly Source[],
  request: CredentialRequest,
): SourceChoice<Source> {
  const issuer = unverifiedIssuer(request);
  const owner = issuer === undefined ? undefined : sources.find((source) => source.issuer === issuer);
  if (owner !== undefined) return { kind: 'source', source: owner };
  for (const source of sources) {
    const isForeign = issuer !== undefined && source.issuer !== undefined;
    if (isForeign) continue;
    try {
      if (source.accepts(request) === true) return { kind: 'source', source };
    } catch {
      // Who cannot tell whether a credential is theirs must not make room for the next.
      return { kind: 'failed', reason: 'error', source: source.name };
    }
  }
  return unclaimed(request);
}

function unclaimed(request: CredentialRequest): SourceChoice<never> {
  const authorization = readAuthorization(request);
  if (authorization.kind === 'none') return { kind: 'anonymous' };
  if (authorization.kind === 'malformed') return { kind: 'failed', reason: 'malformed' };
  if (authorization.kind === 'other') return { kind: 'failed', reason: 'unsupported_credential' };
  return { kind: 'failed', reason: whyNobodyTakes(authorization.token) };
}

/** For the audit: a broken JWT, one of another issuer, or something else. */
function whyNobodyTakes(token: string): RefusalCode {
  if (token.split('.').length !== 3) return 'unsupported_credential';
  try {
    parseCompactJwt(token);
    return 'unknown_issuer';
  } catch (error) {
    return error instanceof CredentialRefused ? error.code : 'malformed';
  }
}
