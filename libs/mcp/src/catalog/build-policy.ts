import type { Problem } from '../problem.js';
import { RISKS } from '../risk.js';
import type { ClassPolicy } from './access.js';
import { combinePolicy, type CombinedPolicy } from './combine-policy.js';
import type { EntryKind } from './entry.js';
import { readAccess, type Asked, type Complain, type LooseOptions } from './read-access.js';

/** What a class asks of the callers of all its methods, as `@McpPolicy` wrote it down. */
export interface DeclaredClassPolicy {
  /** The class, for messages to the developer. */
  readonly source: string;
  readonly options: ClassPolicy;
}

/** The policy of an entry, its own and that of its classes in one; or everything that is wrong with it. */
export function buildPolicy(
  kind: EntryKind,
  options: LooseOptions,
  label: string,
  classPolicies: readonly DeclaredClassPolicy[],
): CombinedPolicy | readonly Problem[] {
  const problems: Problem[] = [];
  const complain: Complain = (code, sentence) => problems.push({ code, message: `The ${label} ${sentence}` });
  const own = withRisk(kind, readAccess(options, complain), complain, options);
  const classes = classPolicies.map((declared) => readClass(declared, problems));
  if (options['public'] === true) complainOfPublic(options, classPolicies, complain);
  else if (asksNobody(own) && !problems.some(({ code }) => UNREADABLE.includes(code)))
    complain('entry_without_policy', NO_POLICY);
  if (problems.length > 0) return problems;
  if (options['public'] === true) return PUBLIC;
  const combined = combinePolicy(own, classes);
  if (combined !== undefined) return combined;
  complain(
    'entry_freshness',
    'and its class ask for different acr values, which no sign-in can meet: name one that both ask for.',
  );
  return problems;
}

/** What could not be read has been complained of, and is not missing as well. */
const UNREADABLE = ['entry_scopes', 'entry_role'];

function asksNobody({ scopes, roles }: Asked): boolean {
  return scopes.length === 0 && roles.length === 0;
}

const NO_POLICY = "has no policy: write scopes: ['…'], role: '…', or public: true for what anyone may read.";

const PUBLIC: CombinedPolicy = Object.freeze({
  policy: Object.freeze({
    public: true,
    scopes: Object.freeze([]),
    roles: Object.freeze([]),
    risk: 'read',
    tenancy: 'none',
    when: Object.freeze([]),
  }),
  rules: Object.freeze([]),
});

/** Resources and prompts read, unless they say otherwise; a tool has to say. */
function withRisk(kind: EntryKind, asked: Asked, complain: Complain, options: LooseOptions): Asked {
  if (asked.risk !== undefined || options['risk'] !== undefined) return asked;
  if (kind !== 'tool') return { ...asked, risk: 'read' };
  complain('entry_without_risk', `says no risk: write risk: ${RISKS.map((r) => `'${r}'`).join(' | ')}.`);
  return asked;
}

const GUARDING = ['scopes', 'role', 'when', 'freshness'];

function complainOfPublic(
  options: LooseOptions,
  classPolicies: readonly DeclaredClassPolicy[],
  complain: Complain,
): void {
  if ((options['risk'] ?? 'read') !== 'read')
    complain(
      'public_entry_risk',
      "is public, which only risk: 'read' may be: give it scopes or a role instead.",
    );
  if (options['tenancy'] !== undefined && options['tenancy'] !== 'none')
    complain('public_entry_with_policy', 'is public and asks for a tenant: leave out one of the two.');
  if (GUARDING.some((name) => options[name] !== undefined))
    complain(
      'public_entry_with_policy',
      'is public and also asks for scopes, a role, a rule or a fresh sign-in: leave out one of the two.',
    );
  for (const { source } of classPolicies)
    complain(
      'public_entry_with_policy',
      `is public, and @McpPolicy of ${source} asks something of every caller: move it to another class.`,
    );
}

const CLASS_OPTIONS = ['scopes', 'role', 'tenancy', 'when', 'freshness', 'risk'];

function readClass({ source, options }: DeclaredClassPolicy, problems: Problem[]): Asked {
  const complain: Complain = (_code, sentence) =>
    problems.push({ code: 'class_policy', message: `The @McpPolicy of ${source} ${sentence}` });
  const given: LooseOptions = typeof options === 'object' ? { ...options } : {};
  const names = Object.keys(given).filter((name) => given[name] !== undefined);
  const unknown = names.filter((name) => !CLASS_OPTIONS.includes(name));
  for (const name of unknown)
    complain('', `has the unknown option "${name}": write one of ${CLASS_OPTIONS.join(', ')}.`);
  if (names.length === 0) complain('', "asks for nothing: write role: 'agent:admin' for example.");
  return readAccess(given, complain);
}
