import {
  type Check,
  type Decision,
  effectOfRefusal,
  type EntryKind,
  type PublicReason,
  type RefusalReason,
  type Verdict,
} from '@sallyport/mcp';
import type { Policy } from '../policy.js';
import { whatHelps } from './what-helps.js';

/** Why one call would run, wait or be refused, for whoever has to understand it. Not for the caller: it says everything. */
export interface Explanation {
  /** The name or URI as it was asked for. */
  readonly target: string;
  /** `undefined`: the catalog has none. */
  readonly entry: { readonly kind: EntryKind; readonly name: string; readonly source: string } | undefined;
  readonly effect: Decision['effect'];
  /** As the audit records it; `undefined` for a permit. */
  readonly reason: RefusalReason | undefined;
  /** Every check with its sentence, as the audit records them. */
  readonly checks: readonly Check[];
  readonly policyVersion: string;
  /** What the caller is told, and no more; `undefined` for a permit. */
  readonly told: Told | undefined;
  /** What this caller would need, one sentence for each thing. */
  readonly helps: readonly string[];
}

/** What a refused caller receives; for wrong arguments of a tool, the message is the text of a result. */
export interface Told {
  /** HTTP status. */
  readonly status: number;
  /** JSON-RPC code. */
  readonly code: number;
  readonly reason: PublicReason;
  readonly message: string;
  /** The scopes that the challenge asks for. */
  readonly scopes?: readonly string[];
}

/** Explains what the gate decided. */
export function explanationOf(verdict: Verdict, policy: Policy): Explanation {
  const { call, decision } = verdict;
  const { entry, target } = call;
  return {
    target,
    entry: entry === undefined ? undefined : { kind: entry.kind, name: entry.name, source: entry.source },
    effect: verdict.kind === 'permitted' ? 'permit' : effectOfRefusal(verdict.reason),
    reason: verdict.kind === 'refused' ? verdict.reason : undefined,
    checks: decision.checks,
    policyVersion: decision.policyVersion,
    told: verdict.kind === 'refused' ? toldOf(verdict) : undefined,
    helps: whatHelps(verdict, policy),
  };
}

function toldOf({ refusal }: Extract<Verdict, { kind: 'refused' }>): Told {
  const { status, code, reason, message, challenge } = refusal;
  return { status, code, reason, message, ...(challenge === undefined ? {} : { scopes: challenge.scopes }) };
}

/** An explanation for people: the decision, every check, what the caller is told, and what would help. */
export function explanationText(explanation: Explanation): string {
  const { target, entry, effect, reason, checks, policyVersion, told, helps } = explanation;
  const what =
    entry === undefined
      ? target
      : `${entry.kind} ${target}${entry.name === target ? '' : ` (${entry.name})`}`;
  const width = Math.max(0, ...checks.map(({ name }) => name.length));
  return [
    `${effect.toUpperCase()}  ${what}${reason === undefined ? '' : `  for ${reason}`}`,
    ...(checks.length === 0 ? [] : ['', 'checks']),
    ...checks.map(
      ({ name, passed, detail }) => `  ${passed ? 'ok    ' : 'FAILED'}  ${name.padEnd(width)}  ${detail}`,
    ),
    ...section('the caller is told', told === undefined ? [] : [toldLine(told)]),
    ...section('what would help', helps),
    '',
    `policy version ${policyVersion === '' ? 'unknown' : policyVersion}`,
  ].join('\n');
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
}

function toldLine({ status, reason, message, scopes }: Told): string {
  const challenge =
    scopes === undefined || scopes.length === 0 ? '' : ` (challenged for ${scopes.join(' ')})`;
  return `HTTP ${status} ${reason}${challenge}: ${message}`;
}
