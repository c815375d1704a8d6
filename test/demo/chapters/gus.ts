import { randomUUID } from 'node:crypto';
import { SEED } from '../../../src/office/seed/seed.js';
import { shown, structured } from '../answer.js';
import { failed, permitted } from '../records.js';
import type { Stage } from '../stage.js';

const SCOPES = ['crm:read'];
const [ACME] = SEED.acme.records;
const [GLOBEX] = SEED.globex.records;

/** Gus works for another tenant: a record of Acme is answered exactly as one that does not exist. */
export async function gus(stage: Stage): Promise<void> {
  stage.ledger.chapter(`Gus (globex, contributor) with ${SCOPES.join(' ')}`);
  const actor = await stage.signedIn('gus', SCOPES);
  await stage.step({
    call: 'crm_open_record: his own',
    actor,
    ask: (talk) => talk.callTool('crm_open_record', { recordId: GLOBEX.id }),
    summary: (result) => shown(structured(result)['name']),
    expected: `HTTP 200: ${GLOBEX.name}`,
    record: permitted('crm_open_record', 'crm:read'),
  });
  const open = (what: string, recordId: string) =>
    stage.step({
      call: `crm_open_record: ${what}`,
      actor,
      ask: (talk) => talk.callTool('crm_open_record', { recordId }),
      expected: 'HTTP 200, tool error: No such record.',
      record: failed('crm_open_record', 'crm:read'),
    });
  const foreign = await open("one of Acme's", ACME.id);
  const missing = await open('a random id', randomUUID());
  stage.ledger.compareBytes('both answers, but for the id', foreign.raw, missing.raw);
}
