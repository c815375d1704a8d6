import {
  type AdministrationEvent,
  type AuditEvent,
  type CallArguments,
  type CallContext,
  type Check,
  type Decision,
  effectOfRefusal,
  type Entry,
  type FailedAuthenticationEvent,
  kindAsked,
  type McpCall,
  type OutcomeEvent,
  type Principal,
  type RefusalEvent,
  requirementsText,
} from '@sallyport/mcp';

import type { NewAuditRecord } from './audit-record.entity.js';
import { argumentHashes } from './keyed/argument-hashes.js';
import type { PersonKey } from './keyed/person-key.js';
import type { KeyRing } from './keyed/person-keys.js';
import { actorsOf, personOf, principalOf, type Person } from './keyed/person.js';
import { peopleAbout, sealedActors, sealedTarget, sealRecord } from './keyed/sealed-record.js';
import { hashedName, unknownName } from './keyed/unknown-name.js';
import { boundedText, safeValue } from './safe-text.js';

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

/** `target` of whoever looked at records, rather than at those of one person or call. */
export const ALL_RECORDS = 'records';

/** Every column, so that each record has one shape from the beginning. */
const NOTHING: NewAuditRecord = {
  id: '',
  at: 0,
  kind: 'attempt',
  attempt: null,
  call: null,
  traceparent: null,
  via: 'cli',
  protocol: null,
  server: '',
  resource: '',
  address: null,
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
};

/** Some columns of a record. */
type Columns = Partial<NewAuditRecord>;

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
  if (principal !== undefined) record.actors = sealedActors(record.id, principal, ring);
  if (event.kind !== 'administration') return sealRecord(record, key);
  return sealRecord(Object.assign(record, targetColumns(event, record.id, key, ring)), key, byOf(event));
}

/**
 * As it would stand without a key: only {@link recordOf} hands one out. One object from here on, which is filled and never
 * copied: with so many columns, copies cost more than all the rest.
 */
function draftOf(event: AuditEvent, key: PersonKey): NewAuditRecord {
  switch (event.kind) {
    case 'attempt':
      return drafted(
        event,
        event.call,
        callColumns(event.call, key),
        argumentColumns(event.call, key),
        decisionColumns(event.decision),
      );
    case 'outcome':
      return drafted(event, event.call, callColumns(event.call, key), outcomeColumns(event));
    case 'refusal':
      return drafted(
        event,
        event.call,
        callColumns(event.call, key),
        argumentColumns(event.call, key),
        decisionColumns(event.decision),
        refusalColumns(event),
      );
    case 'list':
      return drafted(event, event.call, contextColumns(event.call), {
        method: event.call.method,
        shown: event.shown,
      });
    case 'authentication':
      return drafted(event, event, failureColumns(event));
    case 'administration':
      return drafted(event, event, administrationColumns(event));
  }
}

/** What every record says, and then these columns; a later one counts. */
function drafted(
  event: AuditEvent,
  where: Pick<AdministrationEvent, 'server' | 'via' | 'address'>,
  ...columns: readonly Columns[]
): NewAuditRecord {
  const record = { ...NOTHING };
  record.id = name(event.id);
  record.at = event.at.getTime();
  record.kind = event.kind;
  record.via = where.via;
  record.server = name(where.server.name);
  record.resource = boundedText(where.server.resource, LIMITS.identity);
  record.address = optional(where.address, LIMITS.name);
  for (const some of columns) Object.assign(record, some);
  return record;
}

function outcomeColumns({ attempt, status, cause, durationMs, resultBytes }: OutcomeEvent): Columns {
  return {
    attempt: name(attempt),
    status,
    cause: cause ?? null,
    durationMs: Math.round(durationMs),
    resultBytes,
  };
}

function failureColumns({ reason, source, principal, counted }: FailedAuthenticationEvent): Columns {
  return {
    ...(principal && principalColumns(principal)),
    reason: name(reason),
    source: optional(source, LIMITS.name),
    details: counted === undefined ? null : detailsOf(textsOf(counted)),
  };
}

function textsOf({ count, since }: NonNullable<FailedAuthenticationEvent['counted']>) {
  return { count: String(count), since: since.toISOString() };
}

function administrationColumns({ actor, reason, action, details }: AdministrationEvent): Columns {
  return {
    ...(actor && principalColumns(actor)),
    decision: reason === undefined ? 'permit' : 'refuse',
    reason: optional(reason, LIMITS.name),
    action,
    details: detailsOf(withoutBy(details)),
  };
}

/** The name of a person is sealed with their own key, not with that of whoever changes something about them. */
function targetColumns(event: AdministrationEvent, id: string, key: PersonKey, ring: KeyRing) {
  const { about } = event;
  const text = name(about === undefined ? targetOf(event, key) : event.target);
  return about === undefined
    ? { target: text, about: null }
    : { target: null, about: sealedTarget(id, text, ring(about)) };
}

/** Where records are asked for by id, people write all sorts of things: what was not found may be somebody's name. */
function targetOf({ action, target, details }: AdministrationEvent, key: PersonKey): string {
  const isFound = action !== 'audit.read' || details['shown'] !== '0';
  return isFound || target === ALL_RECORDS || OUR_ID.test(target) ? target : hashedName(target, key);
}

const OUR_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

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

function callColumns(call: McpCall, key: PersonKey): Columns {
  return Object.assign(contextColumns(call), entryColumns(call, key), { method: call.method });
}

function contextColumns({ id, traceparent, protocol, principal }: CallContext): Columns {
  return Object.assign(
    { call: name(id), traceparent: traceparentOf(traceparent), protocol: name(protocol) },
    principal && principalColumns(principal),
  );
}

function principalColumns(principal: Principal): Columns {
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

function entryColumns(call: McpCall, key: PersonKey): Columns {
  const { entry } = call;
  if (!entry) return { entryKind: kindAsked(call), entry: unknownName(kindAsked(call), call.target, key) };
  // Not the target: the URI of a resource template holds the values of its arguments.
  return {
    entryKind: entry.kind,
    entry: name(entry.name),
    entryDigest: name(entry.digest),
    risk: entry.policy.risk,
    scopesRequired: boundedText(requirementsText(entry.policy.scopes), LIMITS.list),
  };
}

function argumentColumns({ entry, arguments: values }: McpCall, key: PersonKey): Columns {
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
  return JSON.stringify(Object.fromEntries(fields));
}

/**
 * The value, or the beginning of its JSON as a string when that is too long to store. Each text in it is made safe by itself:
 * escapes in the JSON around it would be gone again once that is read.
 */
function boundedField(value: unknown): unknown {
  const safe = safeValue(value);
  const json = JSON.stringify(safe) ?? '';
  return json.length <= LIMITS.field ? safe : boundedText(JSON.stringify(value), LIMITS.field);
}

function decisionColumns(decision: Decision): Columns {
  return {
    decision: decision.effect,
    checks: checksOf(decision.checks),
    policyVersion: name(decision.policyVersion),
    // A challenge names every scope of the operation, which may be more than the entry asks for by itself.
    ...(decision.effect === 'refuse' &&
      decision.scopes.length > 0 && { scopesRequired: listOf(decision.scopes) }),
  };
}

function refusalColumns({ reason }: RefusalEvent): Columns {
  return { decision: effectOfRefusal(reason), reason: name(reason) };
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
