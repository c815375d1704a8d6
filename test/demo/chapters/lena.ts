import { SEED } from '../../../src/office/seed/seed.js';
import { describeRefusal, shown, structured } from '../answer.js';
import { listed, permitted, refused } from '../records.js';
import type { Stage } from '../stage.js';
import { toolsIn } from './office.js';

const SCOPES = ['crm:read', 'crm:write', 'calendar:write', 'tasks:write'];
const [RECORD] = SEED.acme.records;
const READING = [
  'calendar_list_events',
  'crm_compare_records',
  'crm_open_record',
  'docs_search',
  'mail_list_unread',
  'tasks_list',
  'tickets_read',
  'tickets_watch',
];
const CHANGE = { recordId: RECORD.id, stage: 'churned' };

/** Lena consented to writing, but her role may only look: a tool she may not use does not exist for her. */
export async function lena(stage: Stage): Promise<void> {
  stage.ledger.chapter(`Lena (acme, read-only) with ${SCOPES.join(' ')}`);
  const actor = await stage.signedIn('lena', SCOPES);
  const unknown = describeRefusal({ status: 200, code: -32602, reason: 'unknown' });
  await stage.step({
    call: 'tools/list',
    actor,
    ask: (talk) => talk.listTools(),
    summary: toolsIn,
    expected: `HTTP 200: ${READING.join(', ')}`,
    record: listed(),
  });
  const forbidden = await stage.step({
    call: 'crm_update_record',
    actor,
    ask: (talk) => talk.callTool('crm_update_record', CHANGE),
    expected: unknown,
    record: refused('crm_update_record', 'role', 'crm:write'),
  });
  const missing = await stage.step({
    call: 'crm_no_such_tool',
    actor,
    ask: (talk) => talk.callTool('crm_no_such_tool', CHANGE),
    expected: unknown,
    record: refused('crm_no_such_tool', 'unknown_entry'),
  });
  stage.ledger.compareBytes('both answers, but for the id', forbidden.raw, missing.raw);
  await stage.step({
    call: 'crm_open_record: it is unchanged',
    actor,
    ask: (talk) => talk.callTool('crm_open_record', { recordId: RECORD.id }),
    summary: (result) => `${shown(structured(result)['name'])}, ${shown(structured(result)['stage'])}`,
    expected: `HTTP 200: ${RECORD.name}, ${RECORD.stage}`,
    record: permitted('crm_open_record', 'crm:read'),
  });
}
