import type {
  Check,
  CheckName,
  Decision,
  Entry,
  EntryPolicy,
  Principal,
  RefusalReason,
} from '@sallyport/mcp';
import { missingScopes } from './missing-scopes.js';
import type { Policy } from './policy.js';
import { sufficesRole } from './suffices-role.js';

/** What is decided on. `entry: undefined` means that the catalog has none. */
export interface Question {
  readonly entry: Entry | undefined;
}

/** Which reason each failed check gives. The order of the checks is the order of their weight. */
const REASON: Record<Exclude<CheckName, 'risk'>, RefusalReason> = {
  entry: 'unknown_entry',
  authentication: 'authentication_required',
  tenant: 'tenant',
  role: 'role',
  scopes: 'insufficient_scope',
};

/**
 * Decides. Pure: the same policy, principal and question give the same decision, and nothing else is looked at.
 *
 * All checks are made, so that a decision explains itself whole; the first that failed gives the reason. Hiding checks
 * (entry, tenant, role) come before `scopes`, so that a challenge never tells of an entry the caller may not know.
 */
export function decide(policy: Policy, principal: Principal | undefined, question: Question): Decision {
  const { entry } = question;
  const policyVersion = policy.version;
  const checks = checksOf(policy, principal, entry);
  const failed = checks.find((check) => !check.passed);
  if (failed === undefined) return { effect: 'permit', checks, policyVersion };
  if (failed.name === 'risk') return { effect: 'hold', checks, policyVersion };
  return {
    effect: 'refuse',
    reason: REASON[failed.name],
    checks,
    scopes: failed.name === 'scopes' ? (entry?.policy.scopes ?? []) : [],
    policyVersion,
  };
}

function checksOf(policy: Policy, principal: Principal | undefined, entry: Entry | undefined): Check[] {
  if (principal === undefined && entry?.policy.public !== true) {
    // Nothing is said of the entry, not even that it exists.
    return [check('authentication', false, 'no credential came, and this is not public')];
  }
  if (entry === undefined) return [check('entry', false, 'the catalog has no such entry')];
  const found = check('entry', true, `${entry.kind} "${entry.name}"`);
  if (entry.policy.public) return [found, check('authentication', true, 'public: none is needed')];
  if (principal === undefined) return [check('authentication', false, 'no credential came')];
  return [found, ...guardedChecks(policy, principal, entry.policy)];
}

function guardedChecks(policy: Policy, principal: Principal, asked: EntryPolicy): Check[] {
  return [
    check('authentication', true, `${principal.kind} of ${principal.issuer}`),
    tenantCheck(principal, asked),
    roleCheck(policy, principal, asked),
    scopesCheck(policy, principal, asked),
    riskCheck(policy, asked),
  ];
}

function tenantCheck({ tenant }: Principal, { tenancy }: EntryPolicy): Check {
  if (tenancy === 'none') return check('tenant', true, 'none is asked for');
  if (tenant === undefined || tenant === '')
    return check('tenant', false, 'the principal belongs to no tenant');
  return check('tenant', true, `tenant ${tenant}`);
}

function roleCheck(policy: Policy, { roles }: Principal, asked: EntryPolicy): Check {
  if (asked.roles.length === 0) return check('role', true, 'none is asked for');
  const detail = `asks for ${asked.roles.join(' or ')}; the principal holds ${roles.join(', ') || 'none'}`;
  return check('role', sufficesRole(asked.roles, roles, policy.roles), detail);
}

function scopesCheck(policy: Policy, { scopes }: Principal, asked: EntryPolicy): Check {
  if (asked.scopes.length === 0) return check('scopes', true, 'none are asked for');
  const missing = missingScopes(asked.scopes, scopes, policy.scopes);
  const detail = `asks for ${asked.scopes.join(' ')}; ${missing.length === 0 ? 'all granted' : `missing ${missing.join(' ')}`}`;
  return check('scopes', missing.length === 0, detail);
}

function riskCheck(policy: Policy, { risk }: EntryPolicy): Check {
  const held = policy.holds.has(risk);
  return check('risk', !held, held ? `${risk}: waits for the approval of a person` : risk);
}

function check(name: CheckName, passed: boolean, detail: string): Check {
  return { name, passed, detail };
}
