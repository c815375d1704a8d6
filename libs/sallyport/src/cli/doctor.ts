import { AuditLog, AuditStore } from '@sallyport/audit';
import type { INestApplicationContext } from '@nestjs/common';
import { IDENTITY_STORE } from '@sallyport/identity';
import { Catalog, isLoopback, type Entry, type Problem } from '@sallyport/mcp';
import { isUnchanged } from '@sallyport/policy';
import type { Store } from '@sallyport/store';
import { lockOfApplication } from '../application-surface.js';
import { differenceFrom, differenceMessage } from '../policy-lock.js';
import { SALLYPORT_OPTIONS, type SallyportOptions } from '../sallyport.options.js';

/** `problem` stops the boot; `warning` is safe but worth knowing. */
export interface Finding extends Problem {
  readonly level: 'problem' | 'warning';
}

/** Looks at a server that does boot: what is weaker than it could be, and what to write instead. */
export function warningsOf(context: INestApplicationContext): Finding[] {
  const options = context.get<SallyportOptions>(SALLYPORT_OPTIONS, { strict: false });
  const { entries } = context.get(Catalog, { strict: false });
  const store = context.get(AuditStore, { strict: false });
  return [
    ...resourceWarnings(options),
    ...auditWarnings(store, options),
    ...identityStoreWarnings(context),
    ...entryWarnings(entries),
    ...holdWarnings(entries),
    ...anonymousWarnings(options, entries),
    ...lockWarnings(context),
  ];
}

/** Whether the log of the audit is signed, and may be. */
export async function logWarnings(context: INestApplicationContext): Promise<Finding[]> {
  const warnings = await context.get(AuditLog, { strict: false }).warnings();
  return warnings.map((message) => warning('audit_log', message));
}

function resourceWarnings({ resource }: SallyportOptions): Finding[] {
  if (!isLoopback(new URL(resource).hostname)) return [];
  const message = `The resource ${resource} is on loopback: for others to reach it, write its public https URL.`;
  return [warning('resource_loopback', message)];
}

function auditWarnings(store: AuditStore, { audit }: SallyportOptions): Finding[] {
  const findings = [
    ...store.warnings.map((message) => warning('audit_store', message)),
    ...store.protectionWarnings.map((message) => warning('audit_protection', message)),
  ];
  if (store.dataSource.options.type === 'postgres' && audit?.migrations !== 'check') {
    findings.push(
      warning(
        'audit_migrations_run',
        "The server creates the audit's tables itself, so its database role may change them: run it once with a role that may, then write audit: { migrations: 'check' } and take that right away.",
      ),
    );
  }
  return findings;
}

function identityStoreWarnings(context: INestApplicationContext): Finding[] {
  const store = context.get<Store | undefined>(IDENTITY_STORE, { strict: false });
  return (store?.warnings ?? []).map((message) => warning('identity_store', message));
}

function entryWarnings(entries: readonly Entry[]): Finding[] {
  const withoutRole = entries.filter(
    ({ policy }) => !policy.public && policy.roles.length === 0 && policy.risk !== 'read',
  );
  if (withoutRole.length === 0) return [];
  const message = `${names(withoutRole)} can change things and ask for no role, so consent of the user alone suffices: add role: '…' to say whom the organization allows.`;
  return [warning('no_role', message)];
}

function holdWarnings(entries: readonly Entry[]): Finding[] {
  const held = entries.filter(({ policy }) => policy.risk === 'external' || policy.risk === 'destructive');
  if (held.length === 0) return [];
  const message = `${names(held)} wait for the approval of a person, which this version cannot give yet: every call is refused with approval_required.`;
  return [warning('held_entries', message)];
}

/** What differs without stopping the boot, where that was asked for. */
function lockWarnings(context: INestApplicationContext): Finding[] {
  const { lock } = context.get<SallyportOptions>(SALLYPORT_OPTIONS, { strict: false });
  if (lock?.onDifference !== 'warn') return [];
  const difference = differenceFrom(lock.file, lockOfApplication(context));
  return isUnchanged(difference) ? [] : [warning('policy_lock', differenceMessage(lock.file, difference))];
}

function anonymousWarnings({ anonymous }: SallyportOptions, entries: readonly Entry[]): Finding[] {
  const open = entries.filter(({ policy }) => policy.public);
  if (open.length === 0 || anonymous === 'refuse') return [];
  const message = `Without signing in anyone may connect and call ${names(open)}: write anonymous: 'refuse' to ask everybody to sign in.`;
  return [warning('anonymous', message)];
}

function names(entries: readonly Entry[]): string {
  const shown = entries.slice(0, 5).map(({ name }) => name);
  return entries.length > shown.length
    ? `${shown.join(', ')} and ${entries.length - shown.length} more`
    : shown.join(', ');
}

function warning(code: string, message: string): Finding {
  return { level: 'warning', code, message };
}
