import type { ReadRecord } from '../../reading/read-record.js';
import { AUTHENTICATION, detailOf, eventOf, present, type OcsfEvent } from './ocsf-class.js';
import { serviceOf, sourceOf, userOf } from './ocsf-people.js';

const UNKNOWN = { name: 'unknown', type_id: 0, type: 'Unknown' };

/** A credential that did not become a principal, so whose it was is not known; or one that was good and is revoked. */
export function authentication(record: ReadRecord): OcsfEvent {
  return {
    ...eventOf(record, AUTHENTICATION, { id: 1, name: 'Logon' }),
    user: record.principalKind === null ? UNKNOWN : userOf(record),
    service: serviceOf(record),
    src_endpoint: sourceOf(record),
    ...protocolOf(record),
    ...(record.via === 'http' && { is_remote: true, logon_type_id: 3, logon_type: 'Network' }),
    ...countedOf(record),
  };
}

/** The identity source that judged, by its name. */
function protocolOf({ source }: ReadRecord) {
  return source === null ? {} : { auth_protocol_id: 99, auth_protocol: source };
}

/** Beyond a limit, one record stands for many failures. */
function countedOf(record: ReadRecord): OcsfEvent {
  const count = Number(detailOf(record, 'count') ?? Number.NaN);
  const since = Date.parse(detailOf(record, 'since') ?? '');
  return present({
    count: Number.isSafeInteger(count) && count > 0 ? count : undefined,
    start_time: Number.isNaN(since) ? undefined : since,
  });
}
