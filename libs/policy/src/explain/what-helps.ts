import {
  alternativesOf,
  type Check,
  type EntryPolicy,
  type Principal,
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
  if (beside !== undefined) return [beside];
  return verdict.decision.checks
    .filter(({ passed }) => !passed)
    .map((check) => helpFor(check, verdict, policy));
}

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
      return 'Correct the name or URI: sallyport policy lists every entry.';
    case 'authentication':
      return 'Sign in: send an access token or a key of this server.';
    case 'tenant':
      return tenantHelp(entry?.policy, principal);
    case 'role':
      return `The organization has to give ${named(entry?.policy.roles, principal?.roles, policy.roles)}.`;
    case 'rule':
      return `The rule has to permit it. ${detail}.`;
    case 'freshness':
      return `Sign in again${signInWords(entry?.policy.freshness)}.`;
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

function signInWords(freshness: EntryPolicy['freshness'] = {}): string {
  const { maxAge, acr } = freshness;
  const by = acr === undefined ? '' : ` with acr ${acr.join(' or ')}`;
  return `${by}${maxAge === undefined ? '' : `, and call within ${maxAge} seconds`}`;
}
