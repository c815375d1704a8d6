import type { CredentialFacts, Freshness } from '@sallyport/mcp';

/** How far the clocks of an issuer and of this server may be apart, in seconds: the default of the token rules. */
export const CLOCK_TOLERANCE_SECONDS = 30;

/**
 * Why a sign-in does not meet what is asked of it (RFC 9470), or `undefined` when it does. What the credential does not say
 * is not met: API keys and local processes never signed in.
 *
 * @param now milliseconds since the epoch
 */
export function signInFault(
  { maxAge, acr }: Freshness,
  { authenticatedAt, acr: met }: CredentialFacts,
  now: number,
): string | undefined {
  if (acr !== undefined && !acr.some((good) => good === met))
    return `asks for acr ${acr.join(' or ')}; the sign-in had ${met ?? 'none'}`;
  if (maxAge === undefined) return undefined;
  if (authenticatedAt === undefined) return 'the credential does not say when its user signed in';
  const age = Math.floor(now / 1000) - authenticatedAt;
  if (age < -CLOCK_TOLERANCE_SECONDS) return 'the sign-in is said to be in the future';
  // Of what is no number, neither is true.
  if (!(age <= maxAge + CLOCK_TOLERANCE_SECONDS))
    return `asks for a sign-in within ${maxAge} seconds; it was ${age} seconds ago`;
  return undefined;
}
