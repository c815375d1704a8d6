import {
  alternativesOf,
  type Check,
  type CredentialFacts,
  type EntryPolicy,
  type Freshness,
  type Principal,
  type PrincipalKind,
  type RefusedCall,
  type RefusalReason,
  type Requirement,
  type Verdict,
} from '@sallyport/mcp';
import type { Hierarchy } from '../hierarchy.js';
import type { Policy } from '../policy.js';
import { inWords } from './in-words.js';
import { unmetRequirements } from '../unmet-requirements.js';

/** What would have to be different for this call to run: one sentence for each thing that stands in its way. */
export function whatHelps(verdict: Verdict, policy: Policy): string[] {
  if (verdict.kind === 'permitted') return [];
  const beside = BESIDE_CHECKS[verdict.reason]?.(verdict);
  if (beside === undefined) return helpForChecks(verdict, policy);
  // Once they are corrected, a person may still have to approve.
  return verdict.reason === 'invalid_arguments' ? [beside, ...helpForChecks(verdict, policy)] : [beside];
}

function helpForChecks(verdict: RefusedCall, policy: Policy): string[] {
  const failed = verdict.decision.checks.filter(({ passed }) => !passed);
  // Whoever has not signed in is told nothing of the entry, and is not told that there is none.
  const untold = verdict.call.entry === undefined && failed.every(({ name }) => name !== 'entry');
  return [...failed.map((check) => helpFor(check, verdict, policy)), ...(untold ? [NO_SUCH_ENTRY] : [])];
}

const NO_SUCH_ENTRY = 'Correct the name or URI: sallyport policy lists every entry.';

/** Reasons that no check stands for. */
const BESIDE_CHECKS: Partial<Record<RefusalReason, (refused: RefusedCall) => string>> = {
  revoked: () =>
    'Something of this call is revoked: see it with sallyport revocations, lift it with sallyport restore.',
  invalid_arguments: ({ refusal }) => `Correct the arguments. ${(refusal.issues ?? []).join('; ')}.`,
  roles_unavailable: () => 'The directory of roles has to answer with a list of names, in time.',
  revocations_unavailable: () => 'The store of revocations has to answer: until then every call is refused.',
  decision_failed: () => 'A check threw: the log of the server says where.',
};

function helpFor({ name, detail }: Check, { call }: RefusedCall, policy: Policy): string {
  const { entry, principal } = call;
  switch (name) {
    case 'entry':
      return NO_SUCH_ENTRY;
    case 'authentication':
      return 'Sign in: send an access token or a key of this server.';
    case 'tenant':
      return tenantHelp(entry?.policy, principal);
    case 'role':
      return `The organization has to give ${named(entry?.policy.roles, principal?.roles, policy.roles)}.`;
    case 'rule':
      return `The rule has to permit it. ${detail}.`;
    case 'freshness':
      return signInHelp(entry?.policy.freshness, principal);
    case 'scopes':
      return `The user has to consent to ${named(entry?.policy.scopes, principal?.scopes, policy.scopes)}.`;
    case 'risk':
      return 'A person has to approve this call.';
  }
}

function tenantHelp(policy: EntryPolicy | undefined, principal: Principal | undefined): string {
  if (principal?.tenant === undefined || principal.tenant === '')
    return 'The credential has to name the tenant of its holder.';
  const paths = typeof policy?.tenancy === 'object' ? policy.tenancy.argument.join(' and ') : 'the argument';
  return `${paths} has to name the tenant of the caller, ${principal.tenant}.`;
}

/** What is missing, with the names that include it. */
function named(
  asked: readonly Requirement[] = [],
  held: readonly string[] = [],
  hierarchy: Hierarchy,
): string {
  return unmetRequirements(asked, held, hierarchy)
    .map((requirement) => {
      const own = alternativesOf(requirement);
      const including = own
        .flatMap((name) => hierarchy.grantersOf(name))
        .filter((name) => !own.includes(name));
      const or = including.length === 0 ? '' : ` (or ${[...new Set(including)].toSorted().join(', ')})`;
      return `${inWords([requirement])}${or}`;
    })
    .join(' and ');
}

function signInHelp(asked: Freshness = {}, principal: Principal | undefined): string {
  if (principal === undefined || principal.kind === 'user') return signInAgain(asked, principal?.credential);
  const { maxAge } = asked;
  const when = maxAge === undefined ? '' : ` no longer than ${maxAge} seconds ago`;
  return `${NEVER_SIGNS_IN[principal.kind]} never signs in: a person has to make this call, signed in${byWords(asked)}${when}.`;
}

const NEVER_SIGNS_IN: Readonly<Record<Exclude<PrincipalKind, 'user'>, string>> = {
  client: 'A client by itself',
  'api-key': 'An API key',
  process: 'A local process',
};

/** Signing in helps only where the token then says so: an identity provider has to be told to. */
function signInAgain(asked: Freshness, credential: CredentialFacts | undefined): string {
  const { maxAge, acr } = asked;
  const soon = maxAge === undefined ? '' : `, and call within ${maxAge} seconds`;
  const unsaid = [
    ...(maxAge !== undefined && credential?.authenticatedAt === undefined ? ['auth_time'] : []),
    ...(acr !== undefined && credential?.acr === undefined ? ['acr'] : []),
  ];
  const must = unsaid.length === 0 ? '' : `: the new token has to have ${unsaid.join(' and ')}`;
  return `Sign in again${byWords(asked)}${soon}${must}.`;
}

function byWords({ acr }: Freshness): string {
  return acr === undefined ? '' : ` with acr ${acr.join(' or ')}`;
}
