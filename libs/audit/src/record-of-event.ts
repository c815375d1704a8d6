import {
  type AdministrationEvent,
  type AuditEvent,
  type CallArguments,
  type CallContext,
  type Check,
  type Decision,
  type Entry,
  type EntryKind,
  type FailedAuthenticationEvent,
  kindAsked,
  requirementsText,
  type McpCall,
  type Principal,
} from '@sallyport/mcp';

import type { NewAuditRecord } from './audit-record.entity.js';
import { argumentHashes } from './keyed/argument-hashes.js';
import type { PersonKey } from './keyed/person-key.js';
import type { KeyRing } from './keyed/person-keys.js';
import { actorsOf, personOf, principalOf, type Person } from './keyed/person.js';
import { peopleAbout, sealedActors, sealedTarget, sealRecord } from './keyed/sealed-record.js';
import { boundedText, safeText } from './safe-text.js';

/** Longest stored text, in UTF-16 units. What is longer ends in a digest of the whole. */
export const LIMITS = {
  /** Names, codes, ids, addresses. */
  name: 256,
  /** Issuers, subjects, clients, resources. */
  identity: 512,
  /** Lists of scopes or roles. */
  list: 2048,
  /** One argument that is stored in the clear, as JSON. */
  field: 1024,
} as const;

const MOST_DETAILS = 16;

const NOTHING = {
  attempt: null,
  call: null,
  traceparent: null,
  protocol: null,
  person: null,
  personal: null,
  principalKind: null,
  issuer: null,
  subject: null,
  client: null,
  tenant: null,
  actors: null,
  credentialKind: null,
  credential: null,
  scopesGranted: null,
  scopesRequired: null,
  roles: null,
  method: null,
  entryKind: null,
  entry: null,
  entryDigest: null,
  risk: null,
  decision: null,
  reason: null,
  checks: null,
  policyVersion: null,
  argumentsDigest: null,
  argumentHashes: null,
  fields: null,
  status: null,
  cause: null,
  approval: null,
  durationMs: null,
  resultBytes: null,
  shown: null,
  source: null,
  action: null,
  target: null,
  about: null,
  details: null,
} satisfies Partial<NewAuditRecord>;

/** Everybody whose key the record of this event needs. */
export function peopleOf(event: AuditEvent): Person[] {
  const principal = principalOf(event);
  return [
    personOf(principal),
    ...(principal === undefined ? [] : actorsOf(principal).map(({ person }) => person)),
    ...(event.kind === 'administration' ? peopleAbout(event) : []),
  ];
}

/**
 * The record of an event, with what names a person sealed by the key of that person. Values of arguments are in it as
 * keyed hashes, and sealed for the entry's `auditFields`. Throws what `canonicalJson` throws for arguments without a
 * canonical form.
 */
export function recordOf(event: AuditEvent, ring: KeyRing): NewAuditRecord {
  const principal = principalOf(event);
  const key = ring(personOf(principal));
  const record = draftOf(event, key);
  const actors = principal === undefined ? null : sealedActors(record.id, principal, ring);
  if (event.kind !== 'administration') return sealRecord({ ...record, actors }, key);
  return sealRecord({ ...record, actors, ...targetColumns(event, record.id, ring) }, key, byOf(event));
}

/** As it would stand without a key: only {@link recordOf} hands one out. */
function draftOf(event: AuditEvent, key: PersonKey): NewAuditRecord {
  switch (event.kind) {
    case 'attempt':
      return {
        ...recordOfCall(event, event.call),
        ...argumentColumns(event.call, key),
        ...decisionColumns(event.decision),
      };
    case 'outcome':
      return {
        ...recordOfCall(event, event.call),
        attempt: name(event.attempt),
        status: event.status,
        cause: event.cause ?? null,
        durationMs: Math.round(event.durationMs),
        resultBytes: event.resultBytes,
      };
    case 'refusal':
      return {
        ...recordOfCall(event, event.call),
        ...argumentColumns(event.call, key),
        ...decisionColumns(event.decision),
        reason: name(event.reason),
      };
    case 'list':
      return { ...recordOfContext(event, event.call), method: event.call.method, shown: event.shown };
    case 'authentication':
      return recordOfFailedAuthentication(event);
    case 'administration':
      return recordOfAdministration(event);
  }
}

function recordOfFailedAuthentication(event: FailedAuthenticationEvent): NewAuditRecord {
  return {
    ...recordOfAnything(event, event),
    reason: name(event.reason),
    source: optional(event.source, LIMITS.name),
    details: event.counted === undefined ? null : detailsOf(textsOf(event.counted)),
  };
}

function textsOf({ count, since }: NonNullable<FailedAuthenticationEvent['counted']>) {
  return { count: String(count), since: since.toISOString() };
}

function recordOfAdministration(event: AdministrationEvent): NewAuditRecord {
  return {
    ...recordOfAnything(event, event),
    ...(event.actor && principalColumns(event.actor)),
    decision: event.reason === undefined ? 'permit' : 'refuse',
    reason: optional(event.reason, LIMITS.name),
    action: event.action,
    details: detailsOf(withoutBy(event.details)),
  };
}

/** The name of a person is sealed with their own key, not with that of whoever changes something about them. */
function targetColumns({ target, about }: AdministrationEvent, id: string, ring: KeyRing) {
  const text = name(target);
  return about === undefined
    ? { target: text, about: null }
    : { target: null, about: sealedTarget(id, text, ring(about)) };
}

/** The one detail that names whoever makes the change. */
function byOf({ details }: AdministrationEvent): string | undefined {
  const by = Object.hasOwn(details, 'by') ? details['by'] : undefined;
  return by === undefined ? undefined : boundedText(by, LIMITS.identity);
}

function withoutBy({ by: _by, ...details }: AdministrationEvent['details']) {
  return details;
}

/** As many as are bounded in number and in length, by name and value. */
function detailsOf(details: AdministrationEvent['details']): string | null {
  const texts = Object.entries(details).slice(0, MOST_DETAILS);
  if (texts.length === 0) return null;
  const bounded = texts.map(([key, value]) => [name(key), boundedText(value, LIMITS.field)]);
  return JSON.stringify(Object.fromEntries(bounded));
}

function recordOfCall(event: AuditEvent, call: McpCall): NewAuditRecord {
  return { ...recordOfContext(event, call), method: call.method, ...entryColumns(call) };
}

function recordOfContext(event: AuditEvent, call: CallContext): NewAuditRecord {
  return {
    ...recordOfAnything(event, call),
    call: name(call.id),
    traceparent: traceparentOf(call.traceparent),
    protocol: name(call.protocol),
    ...(call.principal && principalColumns(call.principal)),
  };
}

function recordOfAnything(
  event: AuditEvent,
  where: Pick<AdministrationEvent, 'server' | 'via' | 'address'>,
): NewAuditRecord {
  return {
    ...NOTHING,
    id: name(event.id),
    at: event.at.getTime(),
    kind: event.kind,
    via: where.via,
    server: name(where.server.name),
    resource: boundedText(where.server.resource, LIMITS.identity),
    address: optional(where.address, LIMITS.name),
  };
}

function principalColumns(principal: Principal) {
  return {
    principalKind: principal.kind,
    issuer: boundedText(principal.issuer, LIMITS.identity),
    subject: boundedText(principal.subject, LIMITS.identity),
    client: optional(principal.client, LIMITS.identity),
    tenant: optional(principal.tenant, LIMITS.name),
    credentialKind: name(principal.credential.kind),
    credential: optional(principal.credential.id, LIMITS.name),
    scopesGranted: listOf(principal.scopes),
    roles: listOf(principal.roles),
  };
}

function entryColumns(call: McpCall) {
  const { entry } = call;
  if (!entry) return { entryKind: kindAsked(call), entry: unknownTarget(kindAsked(call), call.target) };
  // Not the target: the URI of a resource template holds the values of its arguments.
  return {
    entryKind: entry.kind,
    entry: name(entry.name),
    entryDigest: name(entry.digest),
    risk: entry.policy.risk,
    scopesRequired: boundedText(requirementsText(entry.policy.scopes), LIMITS.list),
  };
}

/** Another spelling of a known URI is an unknown one, and holds the same values: its scheme says enough. */
function unknownTarget(kind: EntryKind, target: string): string {
  if (kind !== 'resource') return name(target);
  const scheme = /^[a-z][a-z0-9+.-]{0,31}:/i.exec(target)?.[0] ?? '';
  return `${scheme}(no such resource)`;
}

function argumentColumns({ entry, arguments: values }: McpCall, key: PersonKey) {
  if (!values) return {};
  return {
    argumentsDigest: key.hash('sallyport-arguments/v2', values),
    argumentHashes: entry ? argumentHashes(entry, values, key) : null,
    fields: entry ? fieldsOf(entry, values) : null,
  };
}

function fieldsOf({ auditFields }: Entry, values: CallArguments): string | null {
  const present = auditFields.filter((field) => Object.hasOwn(values, field));
  if (present.length === 0) return null;
  const fields = present.map((field) => [field, boundedField(values[field])]);
  // What is unsafe in JSON is inside of its strings, where the escapes mean the same characters.
  return safeText(JSON.stringify(Object.fromEntries(fields)));
}

/** The value, or the beginning of its JSON as a string when that is too long to store. */
function boundedField(value: unknown): unknown {
  const json = JSON.stringify(value) ?? '';
  return json.length <= LIMITS.field ? value : boundedText(json, LIMITS.field);
}

function decisionColumns(decision: Decision) {
  return {
    decision: decision.effect,
    checks: checksOf(decision.checks),
    policyVersion: name(decision.policyVersion),
    // A challenge names every scope of the operation, which may be more than the entry asks for by itself.
    ...(decision.effect === 'refuse' &&
      decision.scopes.length > 0 && { scopesRequired: listOf(decision.scopes) }),
  };
}

function checksOf(checks: readonly Check[]): string {
  return JSON.stringify(
    checks.map(({ name: check, passed, detail }) => ({
      name: check,
      passed,
      detail: boundedText(detail, LIMITS.identity),
    })),
  );
}

/** W3C Trace Context §3.2; anything else a caller sends under that name is dropped. */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

function traceparentOf(value: string | undefined): string | null {
  return value !== undefined && TRACEPARENT.test(value) ? value : null;
}

function name(value: string): string {
  return boundedText(value, LIMITS.name);
}

function optional(value: string | undefined, limit: number): string | null {
  return value === undefined ? null : boundedText(value, limit);
}

function listOf(values: readonly string[]): string {
  return boundedText(values.join(' '), LIMITS.list);
}
