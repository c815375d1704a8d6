import type { INestApplicationContext } from '@nestjs/common';
import { Authorizer, Catalog, requirementsText, type Entry, type Freshness } from '@sallyport/mcp';
import { PolicyAuthorizer } from '@sallyport/policy';
import { renderTable } from './table.js';

const COLUMNS = ['kind', 'name', 'risk', 'who may call', 'tenancy', 'before it runs', 'declared in'];

/** Every entry with its policy: as JSON, exactly what the decision reads. */
export function policyReport(context: INestApplicationContext, asJson: boolean): string {
  const { entries } = context.get(Catalog, { strict: false });
  const { policy } = context.get<PolicyAuthorizer>(Authorizer, { strict: false });
  if (asJson)
    return JSON.stringify({ policyVersion: policy.version, entries: entries.map(entryJson) }, null, 2);
  const rows = entries.map((entry) => row(entry, policy.holds.has(entry.policy.risk)));
  return `${renderTable(COLUMNS, rows)}\n${entries.length} entries, policy version ${policy.version}`;
}

function entryJson({ kind, name, uri, policy, auditFields, source, digest }: Entry): object {
  return { kind, name, ...(uri === undefined ? {} : { uri }), policy, auditFields, source, digest };
}

function row(entry: Entry, held: boolean): string[] {
  const { risk, tenancy } = entry.policy;
  return [
    entry.kind,
    entry.uri ?? entry.name,
    risk,
    whoMayCall(entry),
    typeof tenancy === 'string' ? tenancy : `named by ${tenancy.argument.join(', ')}`,
    held ? 'a person approves' : '-',
    entry.source,
  ];
}

function whoMayCall({ policy }: Entry): string {
  if (policy.public) return 'anyone (public)';
  const parts = [];
  if (policy.scopes.length > 0) parts.push(`scopes ${requirementsText(policy.scopes)}`);
  if (policy.roles.length > 0) parts.push(`role ${requirementsText(policy.roles)}`);
  if (policy.when.length > 0) parts.push(`when ${policy.when.join(', ')}`);
  if (policy.freshness !== undefined) parts.push(`signed in ${signInText(policy.freshness)}`);
  return parts.join(', ');
}

function signInText({ maxAge, acr }: Freshness): string {
  const within = maxAge === undefined ? [] : [`within ${maxAge} s`];
  const by = acr === undefined ? [] : [`by ${acr.join(' or ')}`];
  return [...within, ...by].join(' ');
}
