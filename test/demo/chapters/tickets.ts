import { describeRefusal, listOf, shown, structured } from '../answer.js';
import type { Answer } from '../answer.js';
import { permitted } from '../records.js';
import type { Actor, RecordOf, Stage } from '../stage.js';
import { SIGN_IN_SCOPES } from './office.js';

/** One tool with whatever credential: it cannot tell them apart. */
export function readTickets(stage: Stage, actor: Actor, who: string): Promise<Answer> {
  return stage.step({
    call: `tickets_read, ${who}`,
    actor,
    ask: (talk) => talk.callTool('tickets_read'),
    summary: (result) =>
      listOf(structured(result)['tickets'])
        .map(({ title }) => shown(title))
        .join(', '),
    expected: 'HTTP 200: Export stops at 10,000 rows, Invoice shows the old address',
    record: permitted('tickets_read', 'tickets:read'),
  });
}

/** The same call with a credential that was good before. */
export async function readTicketsInVain(
  stage: Stage,
  actor: Actor,
  who: string,
  record: RecordOf,
): Promise<void> {
  await stage.step({
    call: `tickets_read, ${who}`,
    actor,
    ask: (talk) => talk.callTool('tickets_read'),
    expected: describeRefusal({
      status: 401,
      code: -32010,
      reason: 'invalid_token',
      scopes: SIGN_IN_SCOPES,
      challenge: 'invalid_token',
    }),
    record,
  });
}
