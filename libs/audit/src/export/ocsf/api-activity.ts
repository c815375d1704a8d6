import type { ReadRecord } from '../../reading/read-record.js';
import { API_ACTIVITY, eventOf, present, type Activity, type OcsfEvent } from './ocsf-class.js';
import { actorOf, serviceOf, sourceOf } from './ocsf-people.js';

/** A call, or something done through an interface, whether it was permitted or not. */
export function apiActivity(record: ReadRecord, activity: Activity): OcsfEvent {
  return {
    ...eventOf(record, API_ACTIVITY, activity),
    actor: actorOf(record),
    src_endpoint: sourceOf(record),
    api: apiOf(record),
    ...resourcesOf(record),
    ...timesOf(record),
  };
}

function apiOf(record: ReadRecord): OcsfEvent {
  const { method, action, kind, call, protocol } = record;
  return present({
    operation: method ?? action ?? kind,
    version: protocol,
    service: serviceOf(record),
    ...(call !== null && { request: { uid: call } }),
  });
}

function resourcesOf({ entry, entryKind, target }: ReadRecord) {
  const name = entry ?? target;
  if (name === null || name === '') return {};
  return { resources: [present({ name, type: entryKind, role_id: 1, role: 'Target' })] };
}

function timesOf({ durationMs, at }: ReadRecord) {
  if (durationMs === null || Number.isNaN(at.getTime())) return {};
  return { duration: durationMs, start_time: at.getTime() - durationMs, end_time: at.getTime() };
}
