import { AUDIT_TABLE } from '../../audit-record.entity.js';
import type { ReadRecord } from '../../reading/read-record.js';
import { apiActivity } from './api-activity.js';
import {
  APPLICATION_LIFECYCLE,
  detailOf,
  ENTITY_MANAGEMENT,
  EVENT_LOG_ACTIVITY,
  eventOf,
  present,
  type Activity,
  type OcsfEvent,
} from './ocsf-class.js';
import { actorOf, sourceOf } from './ocsf-people.js';

/** An administrative change, or a look at what is administered. */
export function administrationEvent(record: ReadRecord): OcsfEvent {
  switch (record.action) {
    case 'server.started':
      return lifecycle(record, { id: 3, name: 'Start' });
    case 'server.stopped':
      return lifecycle(record, { id: 4, name: 'Stop' });
    case 'audit.exported':
      return eventLog(record, { id: 3, name: 'Export' });
    case 'audit.sealed':
      return eventLog(record, { id: 4, name: 'Archive' });
    case 'audit.read':
    case 'tenancy.crossed':
      return apiActivity(record, { id: 2, name: 'Read' });
    default:
      return entityManagement(record);
  }
}

/** `app` is the server; the process is nobody who acts in it. */
function lifecycle(record: ReadRecord, activity: Activity): OcsfEvent {
  const { server, resource } = record;
  return {
    ...eventOf(record, APPLICATION_LIFECYCLE, activity),
    app: present({ name: server, uid: resource, version: detailOf(record, 'version') }),
  };
}

function eventLog(record: ReadRecord, activity: Activity): OcsfEvent {
  return {
    ...eventOf(record, EVENT_LOG_ACTIVITY, activity),
    log_name: AUDIT_TABLE,
    log_type_id: 2,
    log_type: 'Application',
    actor: actorOf(record),
    src_endpoint: sourceOf(record),
  };
}

function entityManagement(record: ReadRecord): OcsfEvent {
  return {
    ...eventOf(record, ENTITY_MANAGEMENT, changeOf(record)),
    actor: actorOf(record),
    src_endpoint: sourceOf(record),
    entity: entityOf(record),
    ...(detailOf(record, 'why') !== undefined && { comment: detailOf(record, 'why') }),
  };
}

/** By the enumeration of Entity Management. */
function changeOf({ action }: ReadRecord): Activity {
  switch (action) {
    case 'key.issued':
    case 'revocation.added':
      return { id: 1, name: 'Create' };
    case 'key.listed':
      return { id: 2, name: 'Read' };
    case 'key.rotated':
    case 'policy.changed':
    case 'audit.key_rotated':
    case 'audit.remembered':
      return { id: 3, name: 'Update' };
    case 'revocation.lifted':
    case 'audit.erased':
      return { id: 4, name: 'Delete' };
    case 'key.revoked':
    case 'key.reported':
      return { id: 9, name: 'Disable' };
    default:
      return { id: 99, name: action ?? 'Other' };
  }
}

/** Of all of these the schema knows policies alone. */
function entityOf({ action, target }: ReadRecord): OcsfEvent {
  const name = target === null || target === '' ? 'unnamed' : target;
  if (action === 'policy.changed')
    return { name: 'Sallyport', type_id: 5, type: 'Policy', policy: { name: 'Sallyport', version: name } };
  return { name, uid: name, type_id: 99, type: TYPES[action?.split('.')[0] ?? ''] ?? 'Other' };
}

const TYPES: Readonly<Record<string, string>> = {
  key: 'API key',
  revocation: 'Revocation',
  audit: 'Audit record',
  policy: 'Policy',
};
