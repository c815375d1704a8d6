import type { CredentialFacts } from '@sallyport/mcp';

/** What a principal may be told an `acr` is: a name without spaces (OpenID Connect Core §2). */
const ACR = /^[\x21-\x7E]{1,255}$/;

/**
 * When and how the user signed in, by `auth_time` and `acr` (OpenID Connect Core §2; RFC 9068 §2.2.1; RFC 9470 §6.2 for
 * introspection). What is there in another form is not taken for a sign-in: an entry that asks for one then refuses, and
 * all others are not concerned.
 */
export function signInOf(
  claims: Readonly<Record<string, unknown>>,
): Pick<CredentialFacts, 'authenticatedAt' | 'acr'> {
  const { auth_time: time, acr } = claims;
  // A NumericDate may have a fraction (RFC 7519 §2); rounded down, the sign-in is never taken for younger than it is.
  const at = typeof time === 'number' && time >= 0 ? Math.floor(time) : undefined;
  return {
    ...(at !== undefined && Number.isSafeInteger(at) && { authenticatedAt: at }),
    ...(typeof acr === 'string' && ACR.test(acr) && { acr }),
  };
}
