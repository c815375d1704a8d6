import { SEED } from '../../../src/office/seed/seed.js';
import { describeRefusal, shown, structured } from '../answer.js';
import { held, permitted } from '../records.js';
import type { Stage } from '../stage.js';

const SCOPES = ['crm:write'];
const [, RECORD] = SEED.acme.records;

/** Marco has the role and the scope; deleting still waits for the approval of a person. */
export async function marco(stage: Stage): Promise<void> {
  stage.ledger.chapter(`Marco (acme, admin) with ${SCOPES.join(' ')}`);
  const actor = await stage.signedIn('marco', SCOPES);
  await stage.step({
    call: 'crm_delete_record',
    actor,
    ask: (talk) => talk.callTool('crm_delete_record', { recordId: RECORD.id }),
    expected: describeRefusal({ status: 403, code: -32012, reason: 'approval_required' }),
    record: held('crm_delete_record', 'crm:write'),
  });
  await stage.step({
    call: 'crm_open_record: it is still there',
    actor,
    ask: (talk) => talk.callTool('crm_open_record', { recordId: RECORD.id }),
    summary: (result) => shown(structured(result)['name']),
    expected: `HTTP 200: ${RECORD.name}`,
    record: permitted('crm_open_record', 'crm:read'),
  });
}
