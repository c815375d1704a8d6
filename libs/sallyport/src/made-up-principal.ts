import { parsePrincipal, type PrincipalDraft } from '@sallyport/identity';
import type { Principal } from '@sallyport/mcp';

/** Who somebody is supposed to be, where no credential says so: all of it may be left out. */
export interface PrincipalFacts extends Partial<Omit<PrincipalDraft, 'credential'>> {
  /** When they signed in, in seconds before now. Left out: nobody knows. */
  readonly signedInSecondsAgo?: number;
  /** How they signed in (`acr`). Left out: nobody knows. */
  readonly acr?: string;
  readonly credential?: PrincipalDraft['credential'];
}

/** The facts describe nobody. The message names the members that are wrong. */
export class PrincipalFactsError extends Error {
  override readonly name = 'PrincipalFactsError';
  readonly code = 'principal_facts';
}

/** Vouches for principals that nobody vouches for. */
export const MADE_UP_ISSUER = 'urn:sallyport:made-up';

/**
 * A principal from facts instead of a credential, through the same strict schema: for explanations and tests, never for a
 * call that came from somewhere.
 *
 * @throws PrincipalFactsError
 */
export function madeUpPrincipal(facts: PrincipalFacts, now: number = Date.now()): Principal {
  const { signedInSecondsAgo: ago, acr, credential, ...rest } = facts;
  const draft = {
    issuer: MADE_UP_ISSUER,
    subject: 'somebody',
    ...rest,
    credential: {
      ...(ago === undefined ? {} : { authenticatedAt: Math.floor(now / 1000) - ago }),
      ...(acr === undefined ? {} : { acr }),
      ...credential,
    },
  };
  const parsed = parsePrincipal(draft, 'made-up');
  if ('principal' in parsed) return parsed.principal;
  throw new PrincipalFactsError(
    `These facts describe no principal (${parsed.problem}): write { "tenant": "acme", "roles": ["agent:read-only"], "scopes": ["crm:read"] }.`,
  );
}
