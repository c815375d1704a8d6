import { isPlainObject } from '@sallyport/mcp';

import { AUDIT_TABLE } from '../../audit-record.entity.js';
import type { ReadRecord } from '../../reading/read-record.js';
import { unmapped } from './unmapped.js';

export const OCSF_VERSION = '1.8.0';

/** An event, by the names of the schema. */
export type OcsfEvent = Readonly<Record<string, unknown>>;

/** A class of the schema, as far as an event names it. */
export interface OcsfClass {
  readonly uid: number;
  readonly name: string;
  readonly category: { readonly uid: number; readonly name: string };
}

const IAM = { uid: 3, name: 'Identity & Access Management' };
const APPLICATION = { uid: 6, name: 'Application Activity' };

export const API_ACTIVITY: OcsfClass = { uid: 6003, name: 'API Activity', category: APPLICATION };
export const APPLICATION_LIFECYCLE: OcsfClass = {
  uid: 6002,
  name: 'Application Lifecycle',
  category: APPLICATION,
};
export const AUTHENTICATION: OcsfClass = { uid: 3002, name: 'Authentication', category: IAM };
export const ENTITY_MANAGEMENT: OcsfClass = { uid: 3004, name: 'Entity Management', category: IAM };
export const EVENT_LOG_ACTIVITY: OcsfClass = {
  uid: 1008,
  name: 'Event Log Activity',
  category: { uid: 1, name: 'System Activity' },
};

/** What was done, by the enumeration of the class. */
export interface Activity {
  readonly id: number;
  readonly name: string;
}

/** What every event says, whatever its class. */
export function eventOf(record: ReadRecord, ocsfClass: OcsfClass, activity: Activity): OcsfEvent {
  const { uid, name, category } = ocsfClass;
  const trace = traceOf(record);
  return present({
    category_uid: category.uid,
    category_name: category.name,
    class_uid: uid,
    class_name: name,
    activity_id: activity.id,
    activity_name: activity.name,
    type_uid: uid * 100 + activity.id,
    type_name: `${name}: ${activity.name}`,
    time: timeOf(record.at),
    ...severityOf(record),
    ...statusOf(record),
    ...dispositionOf(record),
    metadata: metadataOf(record, trace !== undefined && uid === API_ACTIVITY.uid),
    unmapped: unmapped(record),
    ...(uid === API_ACTIVITY.uid && { trace }),
  });
}

/** Without what is not known: OCSF has no nulls. */
export function present(members: Readonly<Record<string, unknown>>): OcsfEvent {
  const known = Object.entries(members).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(known);
}

/** A text of the details of an administrative change, or of failures that were counted. */
export function detailOf({ details }: ReadRecord, name: string): string | undefined {
  if (!isPlainObject(details) || !Object.hasOwn(details, name)) return undefined;
  const value = details[name];
  return typeof value === 'string' ? value : undefined;
}

/** A database that others can write to may hold a time that is none; the schema has no events without one. */
function timeOf(at: Date): number {
  const time = at.getTime();
  return Number.isNaN(time) ? 0 : time;
}

function metadataOf(record: ReadRecord, isTraced: boolean) {
  return present({
    version: OCSF_VERSION,
    product: { name: 'Sallyport', vendor_name: 'Sallyport' },
    profiles: ['security_control', ...(isTraced ? ['trace'] : [])],
    log_name: AUDIT_TABLE,
    uid: record.id,
    sequence: record.seq,
    correlation_uid: record.call,
    tenant_uid: record.tenant,
    event_code: record.action ?? record.kind,
  });
}

function traceOf({ traceparent }: ReadRecord) {
  // W3C Trace Context §3.2: version, trace-id, parent-id, flags.
  const traceId = traceparent?.split('-')[1];
  return traceId === undefined ? undefined : { uid: traceId };
}

/** What somebody should look at is more than informational: a refusal is daily life, a revoked caller is not. */
function severityOf({ kind, decision, reason }: ReadRecord) {
  if (reason === 'revoked' || reason === 'too_many') return { severity_id: 3, severity: 'Medium' };
  const isRefused = kind === 'authentication' || decision === 'refuse';
  return isRefused ? { severity_id: 2, severity: 'Low' } : { severity_id: 1, severity: 'Informational' };
}

function statusOf(record: ReadRecord) {
  const { kind, decision, status, reason } = record;
  const detail = { status_code: reason ?? status ?? undefined, status_detail: refusingCheck(record) };
  if (kind === 'attempt') return { status_id: 99, status: 'Attempted', ...detail };
  if (decision === 'hold') return { status_id: 99, status: 'Held', ...detail };
  const failed =
    kind === 'authentication' || decision === 'refuse' || (kind === 'outcome' && status !== 'completed');
  return failed
    ? { status_id: 2, status: 'Failure', ...detail }
    : { status_id: 1, status: 'Success', ...detail };
}

/** In words: why the first check that did not pass did not. The one of the risk holds calls, and never refuses one. */
function refusingCheck({ checks, decision }: ReadRecord): string | undefined {
  if (!Array.isArray(checks)) return undefined;
  const failed: unknown = checks.find(
    (check: unknown) =>
      isPlainObject(check) && check['passed'] === false && (check['name'] !== 'risk' || decision === 'hold'),
  );
  if (!isPlainObject(failed)) return undefined;
  const { name, detail } = failed;
  return [name, detail].filter((part) => typeof part === 'string').join(': ');
}

/** Profile Security Control: what was decided. An outcome is that of a call that was permitted. */
function dispositionOf({ kind, decision, policyVersion }: ReadRecord) {
  const effect = kind === 'authentication' ? 'refuse' : (decision ?? 'permit');
  return { ...DISPOSITIONS[effect], ...authorizationsOf(decision, policyVersion) };
}

const DISPOSITIONS: Readonly<Record<string, OcsfEvent>> = {
  permit: { action_id: 1, action: 'Allowed', disposition_id: 1, disposition: 'Allowed' },
  refuse: { action_id: 2, action: 'Denied', disposition_id: 2, disposition: 'Blocked' },
  hold: { action_id: 99, action: 'Held', disposition_id: 14, disposition: 'Delayed' },
};

function authorizationsOf(decision: ReadRecord['decision'], policyVersion: string | null) {
  if (decision === null) return {};
  const policy = policyVersion === null ? {} : { policy: { name: 'Sallyport', version: policyVersion } };
  return { authorizations: [{ decision, ...policy }] };
}
