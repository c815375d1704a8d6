import { SEED } from '../../../src/office/seed/seed.js';
import { describeRefusal, fieldsOf, listOf, textOf } from '../answer.js';
import type { Fields } from '../answer.js';
import { issueKey } from '../keys.js';
import { held, listed, permitted, refused } from '../records.js';
import type { Actor, Stage } from '../stage.js';
import { resignedToken } from '../tokens.js';

const UNKNOWN = describeRefusal({ status: 200, code: -32602, reason: 'unknown' });
const HOUR = 3600;
const [, RECORD] = SEED.acme.records;
const [TICKET] = SEED.acme.tickets;

/** Any of several scopes suffices, and a challenge names one of them. */
export async function anyOfScopes(stage: Stage): Promise<void> {
  stage.ledger.chapter('plan_day asks for calendar:read or email:read');
  const plan = (actor: Actor, who: string, expected: string, record = PLANNED) =>
    stage.step({
      call: `prompts/get plan_day, ${who}`,
      actor,
      ask: (talk) => talk.getPrompt('plan_day'),
      summary: (result) => firstLineOf(result).slice(0, 12),
      expected,
      record,
    });
  await plan(await stage.signedIn('priya', ['email:read']), 'email:read', 'HTTP 200: Plan my day.');
  await plan(
    await stage.signedIn('priya', ['tickets:read']),
    'tickets:read',
    describeRefusal({
      status: 403,
      code: -32011,
      reason: 'insufficient_scope',
      scopes: ['calendar:read'],
      challenge: 'insufficient_scope',
    }),
    refused('plan_day', 'insufficient_scope', 'calendar:read'),
  );
}

const PLANNED = permitted('plan_day', 'calendar:read|email:read');

/** A rule on the class holds for each of its methods: mail is a person's own, whatever a key was given. */
export async function classPolicyAndRule(stage: Stage): Promise<void> {
  stage.ledger.chapter('A key with email:read, and the rule on the class of the mail tools: only people');
  const marco = await stage.signedIn('marco', ['keys:manage', 'email:read']);
  const key = await issueKey(stage, marco, 'mail robot', ['email:read']);
  const robot = stage.withCredential(key.holder);
  await stage.step({
    call: 'tools/list: no mail_…',
    actor: robot,
    ask: (talk) => talk.listTools(),
    summary: (result) =>
      listOf(result['tools'])
        .map(({ name }) => String(name))
        .filter((name) => name.startsWith('mail_') || name.startsWith('docs_'))
        .join(', '),
    expected: 'HTTP 200: docs_search',
    record: listed(),
  });
  const hidden = await stage.step({
    call: 'mail_list_unread',
    actor: robot,
    ask: (talk) => talk.callTool('mail_list_unread'),
    expected: UNKNOWN,
    record: refused('mail_list_unread', 'rule', 'email:read'),
  });
  const missing = await stage.step({
    call: 'mail_no_such_tool',
    actor: robot,
    ask: (talk) => talk.callTool('mail_no_such_tool'),
    expected: UNKNOWN,
    record: refused('mail_no_such_tool', 'unknown_entry'),
  });
  stage.ledger.compareBytes('both answers, but for the id', hidden.raw, missing.raw);
}

/** Who deletes has signed in within the last quarter of an hour; signing in again is enough to get on. */
export async function freshSignIn(stage: Stage): Promise<void> {
  stage.ledger.chapter('Marco deletes, an hour after he signed in');
  const first = await stage.signedIn('marco', ['crm:write']);
  const { caller } = first;
  if (caller === undefined) throw new Error('Nobody signed in.');
  // The one thing that is not as the provider wrote it is when he signed in.
  const anHourAgo = Math.floor(Date.now() / 1000) - HOUR;
  const token = await resignedToken(stage.server, caller.token, HOUR, { auth_time: anHourAgo });
  await erase(
    stage,
    stage.withCredential({ ...caller, token }),
    'crm_delete_record',
    describeRefusal({
      status: 401,
      code: -32010,
      reason: 'insufficient_user_authentication',
      scopes: ['crm:write'],
      challenge: 'insufficient_user_authentication',
      maxAge: 900,
    }),
    refused('crm_delete_record', 'insufficient_user_authentication', 'crm:write'),
  );
  await erase(
    stage,
    await stage.signedIn('marco', ['crm:write']),
    'signed in again: it waits for a person',
    describeRefusal({ status: 403, code: -32012, reason: 'approval_required' }),
    held('crm_delete_record', 'crm:write'),
  );
}

async function erase(stage: Stage, actor: Actor, call: string, expected: string, record = held('')) {
  await stage.step({
    call,
    actor,
    ask: (talk) => talk.callTool('crm_delete_record', { recordId: RECORD.id }),
    expected,
    record,
  });
}

/** What may be completed is decided as the prompt is, and completed with rows of the own tenant. */
export async function completions(stage: Stage): Promise<void> {
  stage.ledger.chapter(
    `completion/complete of a ticket for the prompt triage, which begins with ${BEGINNING}`,
  );
  const complete = (
    actor: Actor,
    who: string,
    expected: string,
    record = permitted('triage', 'tickets:read'),
  ) =>
    stage.step({
      call: who,
      actor,
      ask: (talk) => talk.complete('triage', 'ticketId', BEGINNING),
      summary: (result) => valuesIn(result) || 'nothing',
      expected,
      record,
    });
  const lena = await stage.signedIn('lena', ['tickets:read']);
  await complete(lena, 'Lena (acme)', `HTTP 200: ${TICKET.id}`);
  await complete(await stage.signedIn('gus', ['tickets:read']), 'Gus (globex)', 'HTTP 200: nothing');
  await complete(
    await stage.signedIn('vera', ['tickets:read']),
    'Vera (auditor): there is no such prompt',
    UNKNOWN,
    refused('triage', 'role', 'tickets:read'),
  );
}

const BEGINNING = TICKET.id.slice(0, 4);

function valuesIn(result: Fields): string {
  const { values } = fieldsOf(result['completion']);
  return Array.isArray(values) ? values.join(', ') : '';
}

function firstLineOf(result: Fields): string {
  const [message] = listOf(result['messages']);
  return textOf({ content: [fieldsOf(message?.['content'])] });
}
