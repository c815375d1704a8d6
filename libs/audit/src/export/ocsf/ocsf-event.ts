import type { ReadRecord } from '../../reading/read-record.js';
import { administrationEvent } from './administration.js';
import { apiActivity } from './api-activity.js';
import { authentication } from './authentication.js';
import type { OcsfEvent } from './ocsf-class.js';

/**
 * The event of a record in the Open Cybersecurity Schema Framework, version 1.8.0 (schema.ocsf.io/1.8.0). Each record is
 * one event: a permitted call is an event when it is attempted and another when it has ended, with one
 * `metadata.correlation_uid`. What the schema has no place for is in `unmapped`, under our names. Never throws.
 *
 * | record | class |
 * | --- | --- |
 * | attempt, outcome, refusal, list | API Activity (6003) |
 * | failed authentication | Authentication (3002) |
 * | administration: server started, stopped | Application Lifecycle (6002) |
 * | administration: audit exported, sealed | Event Log Activity (1008) |
 * | administration: audit read, tenancy crossed | API Activity (6003) |
 * | administration: everything else | Entity Management (3004) |
 */
export function ocsfEvent(record: ReadRecord): OcsfEvent {
  switch (record.kind) {
    case 'authentication':
      return authentication(record);
    case 'administration':
      return administrationEvent(record);
    default:
      return apiActivity(record, callActivity(record));
  }
}

/** What a call does is known by its risk; of an entry that does not exist, nothing is. */
function callActivity({ kind, risk }: ReadRecord) {
  if (kind === 'list') return { id: 2, name: 'Read' };
  switch (risk) {
    case 'read':
      return { id: 2, name: 'Read' };
    case 'write':
      return { id: 3, name: 'Update' };
    case 'destructive':
      return { id: 4, name: 'Delete' };
    case 'external':
      return { id: 99, name: 'External' };
    default:
      return { id: 0, name: 'Unknown' };
  }
}
