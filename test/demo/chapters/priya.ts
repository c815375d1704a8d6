import { describeRefusal, listOf, shown, structured } from '../answer.js';
import { listed, permitted, refused } from '../records.js';
import type { Actor, Stage } from '../stage.js';
import { toolsIn } from './office.js';

export const PRIYA_SCOPES = ['email:read', 'calendar:read', 'calendar:write', 'tasks:write'];

const MAIL = { to: ['hannah@weiss-logistics.example'], subject: 'Terms', body: 'Two years, as agreed.' };
const NEW_TASKS = ['Write the terms', 'Ask legal', 'Send the terms'];

/** Priya does her work, and is asked for more consent where she has not given it. */
export async function priya(stage: Stage): Promise<void> {
  stage.ledger.chapter(`Priya (acme, contributor) with ${PRIYA_SCOPES.join(' ')}`);
  const actor = await stage.signedIn('priya', PRIYA_SCOPES);
  await stage.step({
    call: 'tools/list',
    actor,
    ask: (talk) => talk.listTools(),
    summary: toolsIn,
    expected: 'HTTP 200: all 14 tools but crm_delete_record',
    record: listed(),
  });
  await listMail(stage, actor);
  await createEvent(stage, actor);
  for (const title of NEW_TASKS) await createTask(stage, actor, title);
  await stage.step({
    call: 'tasks_list',
    actor,
    ask: (talk) => talk.callTool('tasks_list'),
    summary: (result) =>
      listOf(structured(result)['tasks'])
        .slice(-3)
        .map(({ title }) => title)
        .join(', '),
    expected: `HTTP 200: ${NEW_TASKS.join(', ')}`,
    record: permitted('tasks_list', 'tasks:write'),
  });
  await sendMail(stage, actor, 403);
}

export async function listMail(stage: Stage, actor: Actor): Promise<void> {
  await stage.step({
    call: 'mail_list_unread',
    actor,
    ask: (talk) => talk.callTool('mail_list_unread'),
    summary: (result) =>
      listOf(structured(result)['messages'])
        .map(({ subject }) => subject)
        .join(', '),
    expected: `${actor.via === 'http' ? 'HTTP 200' : 'stdio'}: Renewal, Early tickets end on Friday`,
    record: permitted('mail_list_unread', 'email:read'),
  });
}

/** @returns the data of the JSON-RPC error */
export async function sendMail(stage: Stage, actor: Actor, status?: number) {
  const { error } = await stage.step({
    call: 'mail_send',
    actor,
    ask: (talk) => talk.callTool('mail_send', MAIL),
    expected: describeRefusal({
      ...(status === undefined ? {} : { status, challenge: 'insufficient_scope' }),
      code: -32011,
      reason: 'insufficient_scope',
      scopes: ['email:send'],
    }),
    record: refused('mail_send', 'insufficient_scope', 'email:send'),
  });
  return error?.data;
}

async function createEvent(stage: Stage, actor: Actor): Promise<void> {
  const title = 'Signing with Weiss Logistics';
  const event = { title, startsAt: '2027-01-11T10:00:00Z', endsAt: '2027-01-11T10:30:00Z' };
  await stage.step({
    call: 'calendar_create_event',
    actor,
    ask: (talk) => talk.callTool('calendar_create_event', event),
    summary: (result) => shown(structured(result)['title']),
    expected: `HTTP 200: ${title}`,
    record: permitted('calendar_create_event', 'calendar:write'),
  });
}

async function createTask(stage: Stage, actor: Actor, title: string): Promise<void> {
  await stage.step({
    call: `tasks_create "${title}"`,
    actor,
    ask: (talk) => talk.callTool('tasks_create', { title }),
    summary: (result) => shown(structured(result)['title']),
    expected: `HTTP 200: ${title}`,
    record: permitted('tasks_create', 'tasks:write'),
  });
}
