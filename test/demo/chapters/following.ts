import { SEED } from '../../../src/office/seed/seed.js';
import { eventually } from '../../support/eventually.js';
import { startBeside } from '../../support/server-process.js';
import { describeRefusal, shown, structured } from '../answer.js';
import type { Following } from '../conversation.js';
import { aborted, listed, permitted, unauthenticated } from '../records.js';
import type { Actor, Stage } from '../stage.js';
import { lift, revoke } from './revocations.js';
import { sessionOfAnother } from './session-of-another.js';

const [, , RECORD] = SEED.acme.records;
const URI = `crm://acme/${RECORD.id}`;

/**
 * Who follows a resource is told of changes as long as they may read it, and no longer. A client of 2025 needs a session
 * for that; the office has none unless it is told so, so a process that has is started beside it.
 */
export async function following(stage: Stage): Promise<void> {
  if (!stage.client.sessions) return follow(stage);
  const beside = await startBeside(stage.server, { SESSIONS: 'on' });
  try {
    await stage.through(beside, async () => {
      await follow(stage);
      await sessionOfAnother(stage);
      await stage.leave();
    });
  } finally {
    await beside.stop();
  }
}

async function follow(stage: Stage): Promise<void> {
  const { client, ledger } = stage;
  ledger.chapter(
    `Priya follows a customer record (${client.sessions ? 'in a session' : 'subscriptions/listen'})`,
  );
  const marco = await stage.signedIn('marco', ['crm:write', 'revocations:manage']);
  const priya = await stage.signedIn('priya', ['crm:read']);
  const told: string[] = [];
  const { ended } = await subscribe(stage, priya, told);
  await change(stage, marco, 'lead');
  await eventually(
    async () => told.length,
    (count) => count > 0,
  );
  ledger.compare('Priya is told', URI, told.join(' '));
  await revoke(stage, marco);
  await compareEnd(stage, ended);
  await change(stage, marco, 'active');
  ledger.compare('Priya is told of that', 'nothing', told.slice(1).join(' ') || 'nothing');
  await lift(stage, marco);
  if (client.sessions) await returnToSession(stage, priya);
}

async function subscribe(stage: Stage, actor: Actor, told: string[]): Promise<Following> {
  const { sessions } = stage.client;
  // The stream itself is recorded, and each resource on it; the outcome comes with the end.
  if (!sessions) await stage.expectRecord(listed(), actor);
  await stage.expectRecord(aborted('crm_record', 'crm:read'), actor);
  const followed = await actor.talk.follow(URI, (uri) => told.push(uri));
  // The client of 2025 opens its stream by the way: what is sent before that is sent to nobody.
  if (sessions) await eventually(async () => actor.talk.hasStream, Boolean);
  return followed;
}

async function change(stage: Stage, actor: Actor, to: string): Promise<void> {
  await stage.step({
    call: `crm_update_record, Marco: ${to}`,
    actor,
    ask: (talk) => talk.callTool('crm_update_record', { recordId: RECORD.id, stage: to }),
    summary: (result) => shown(structured(result)['stage']),
    expected: `HTTP 200: ${to}`,
    record: permitted('crm_update_record', 'crm:write'),
  });
}

async function compareEnd({ ledger }: Stage, ended: Following['ended']): Promise<void> {
  // A client of 2025 has no handle: what became of its session is seen below.
  if (ended !== undefined)
    ledger.compare('the stream', 'ended by the server', `ended by ${ENDS[await ended]}`);
}

const ENDS: Readonly<Record<string, string>> = {
  graceful: 'the server',
  local: 'the client',
  remote: 'nobody',
};

/** The session went with the revocation: the same token opens a new one, and not that. */
async function returnToSession(stage: Stage, actor: Actor): Promise<void> {
  await stage.step({
    call: 'crm_open_record in her session',
    actor,
    ask: (talk) => talk.callTool('crm_open_record', { recordId: RECORD.id }),
    expected: describeRefusal({ status: 404, code: -32001, reason: 'unknown' }),
    record: unauthenticated('unknown_session'),
  });
}
