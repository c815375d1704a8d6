import type { Store } from '@sallyport/store';

import type { AuditStore } from '../audit.store.js';
import { openAs } from '../seal/maintenance.js';

const TIMEOUT_MS = 5000;
const HOW =
  'Say a role that has what `sallyport audit grants --role eraser --erase` prints: set SALLYPORT_AUDIT_DATABASE, or say ' +
  '--database, with postgres://eraser:…@host/database.';

/**
 * The tables of the audit as a role that may erase people, for servers that may not. To be closed by whoever asks.
 *
 * @param url of the same PostgreSQL
 * @throws AuditLogError when it cannot be used
 */
export function openEraser({ store }: AuditStore, url: string): Promise<Store> {
  return openAs(store, url, TIMEOUT_MS, HOW);
}
