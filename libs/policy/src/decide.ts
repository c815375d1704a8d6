import {
  type CallArguments,
  type Check,
  type CheckName,
  type Decision,
  type Entry,
  type Principal,
  type RefusalReason,
} from '@sallyport/mcp';
import { challengeScopes } from './challenge-scopes.js';
import { check, type CompiledEntry } from './compile-entry.js';
import type { Policy } from './policy.js';
import { signInFault } from './sign-in-fault.js';
import { mayNameTenant, namesTenant } from './tenant-arguments.js';
import { isMet, type CompiledRequirement } from './unmet-requirements.js';

/** What a rule answered: a sentence for the record, and whether it permits. */
export interface RuleOutcome {
  readonly permits: boolean;
  readonly detail: string;
}

/** What is decided on. */
export interface Question {
  /** `undefined`: the catalog has none. */
  readonly entry: Entry | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /**
   * Validated and frozen. `undefined`: they are not known yet, or never will be, as in a list; what depends on them alone
   * is left open then.
   */
  readonly arguments?: CallArguments | undefined;
  /**
   * What rules of the entry answered, by their names; `undefined`: it could not be asked. With arguments, a rule that was not
   * asked refuses.
   */
  readonly rules?: ReadonlyMap<string, RuleOutcome | undefined> | undefined;
  /** The argument whose values are asked for (`completion/complete`): then arguments are what is known of them so far. */
  readonly completing?: string | undefined;
}

/** Which reason each failed check gives. The order of the checks is the order of their weight. */
const REASON: Record<Exclude<CheckName, 'risk'>, RefusalReason> = {
  entry: 'unknown_entry',
  authentication: 'authentication_required',
  tenant: 'tenant',
  role: 'role',
  rule: 'rule',
  freshness: 'insufficient_user_authentication',
  scopes: 'insufficient_scope',
};

/**
 * Decides. Pure: the same policy, principal and question give the same decision, and nothing else is looked at.
 *
 * All checks are made, so that a decision explains itself whole; the first that failed gives the reason. Checks that hide
 * (entry, tenant, role, rule) come before those that challenge (freshness, scopes), so that a challenge never tells of an
 * entry the caller may not know. Freshness comes before scopes, since its challenge names the scopes as well: one new
 * sign-in meets both.
 */
export function decide(policy: Policy, principal: Principal | undefined, question: Question): Decision {
  const { entry } = question;
  const policyVersion = policy.version;
  const checks = checksOf(policy, principal, question);
  const failed = checks.find(({ passed }) => !passed);
  if (failed === undefined) return { effect: 'permit', checks, policyVersion };
  if (failed.name === 'risk') return { effect: 'hold', checks, policyVersion };
  const reason = REASON[failed.name];
  const refused = { effect: 'refuse', reason, checks, scopes: [], policyVersion } as const;
  if (entry === undefined || principal === undefined) return refused;
  if (failed.name !== 'freshness' && failed.name !== 'scopes') return refused;
  const scopes = challengeScopes(policy.compiled(entry).scopes, principal.scopes);
  if (failed.name === 'scopes') return { ...refused, scopes };
  return { ...refused, scopes, freshness: entry.policy.freshness };
}

function checksOf(policy: Policy, principal: Principal | undefined, question: Question): Check[] {
  const { entry } = question;
  if (entry?.policy.public === true) return [policy.compiled(entry).passed.entry, PUBLIC];
  if (principal === undefined) return [NO_CREDENTIAL];
  if (entry === undefined) return [NO_ENTRY];
  return guardedChecks(policy.compiled(entry), principal, question);
}

function guardedChecks(compiled: CompiledEntry, principal: Principal, question: Question): Check[] {
  const tenant = tenantCheck(compiled, principal, question);
  const role = roleCheck(compiled, principal);
  const freshness = freshnessCheck(compiled, principal, question);
  const scopes = scopesCheck(compiled, principal);
  const isRefused = !(tenant.passed && role.passed && freshness.passed && scopes.passed);
  return [
    compiled.passed.entry,
    check('authentication', true, `${principal.kind} of ${principal.issuer}`),
    tenant,
    role,
    ...ruleChecks(compiled, question, isRefused),
    freshness,
    scopes,
    compiled.risk,
  ];
}

/** Nothing is said of the entry, not even that it exists. */
const NO_CREDENTIAL = check('authentication', false, 'no credential came, and this is not public');
const NO_ENTRY = check('entry', false, 'the catalog has no such entry');
const PUBLIC = check('authentication', true, 'public: none is needed');
const NO_TENANT = check('tenant', false, 'the principal belongs to no tenant');
const NO_RULES: readonly Check[] = [check('rule', true, 'none is asked')];

function tenantCheck({ policy, passed }: CompiledEntry, { tenant }: Principal, question: Question): Check {
  const { tenancy } = policy;
  if (tenancy === 'none') return passed.tenant;
  if (tenant === undefined || tenant === '') return NO_TENANT;
  if (tenancy === 'required') return check('tenant', true, `tenant ${tenant}`);
  const { arguments: values, completing } = question;
  const bound = tenancy.argument.join(' and ');
  if (values === undefined) return check('tenant', true, `tenant ${tenant}; ${bound} is compared later`);
  const other = tenancy.argument.find((path) =>
    completing === undefined
      ? !namesTenant(values, path, tenant)
      : !mayNameTenant(values, path, tenant, completing),
  );
  if (other === undefined) return check('tenant', true, `tenant ${tenant}, which ${bound} names`);
  return check('tenant', false, `the argument ${other} does not name the caller's tenant ${tenant}`);
}

function roleCheck({ roles, passed }: CompiledEntry, { roles: held }: Principal): Check {
  if (roles.every((role) => isMet(role, held))) return passed.role;
  const detail = `asks for ${textOf(roles)}; the principal holds ${held.join(', ') || 'none'}`;
  return check('role', false, detail);
}

/** A rule that was not asked refuses, unless it is left open: arguments are not known, or something else refuses. */
function ruleChecks({ policy }: CompiledEntry, question: Question, isRefused: boolean): readonly Check[] {
  if (policy.when.length === 0) return NO_RULES;
  const isOpen = isRefused || question.arguments === undefined;
  return policy.when.map((rule) => {
    const outcome = question.rules?.get(rule);
    if (outcome !== undefined) return check('rule', outcome.permits === true, `${rule}: ${outcome.detail}`);
    return check(
      'rule',
      isOpen,
      isOpen ? `${rule}: asked when nothing else refuses` : `${rule}: was not asked`,
    );
  });
}

function freshnessCheck({ policy, passed }: CompiledEntry, principal: Principal, { now }: Question): Check {
  if (policy.freshness === undefined) return passed.freshness;
  const fault = signInFault(policy.freshness, principal.credential, now);
  return fault === undefined ? passed.freshness : check('freshness', false, fault);
}

function scopesCheck({ scopes, passed }: CompiledEntry, { scopes: granted }: Principal): Check {
  const missing = scopes.filter((scope) => !isMet(scope, granted));
  if (missing.length === 0) return passed.scopes;
  return check('scopes', false, `asks for ${textOf(scopes)}; missing ${textOf(missing)}`);
}

function textOf(requirements: readonly CompiledRequirement[]): string {
  return requirements.map(({ text }) => text).join(' ');
}
