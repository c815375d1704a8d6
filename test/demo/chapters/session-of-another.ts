import { randomBytes } from 'node:crypto';
import { describeRefusal } from '../answer.js';
import { unauthenticated } from '../records.js';
import type { Stage } from '../stage.js';
import { signIn } from '../tokens.js';
import { readTickets } from './tickets.js';

const SCOPES = ['tickets:read'];

/** A session is no identity: whoever holds the id of another one's has nothing. */
export async function sessionOfAnother(stage: Stage): Promise<void> {
  const { ledger, server } = stage;
  ledger.chapter("Gus sends the id of Priya's session");
  const priya = await stage.signedIn('priya', SCOPES);
  await readTickets(stage, priya, 'Priya');
  const gus = await signIn(server, 'gus', SCOPES);
  const inSession = async (what: string, session: string | undefined, reason: string) =>
    stage.step({
      call: `tickets_read in ${what}`,
      actor: stage.withCredential(gus, session),
      ask: (talk) => talk.callTool('tickets_read'),
      expected: describeRefusal({ status: 404, code: -32001, reason: 'unknown' }),
      record: unauthenticated(reason),
    });
  const hers = await inSession("Priya's session", priya.talk.session, 'session_of_another');
  const none = await inSession('no session', randomBytes(32).toString('base64url'), 'unknown_session');
  ledger.compareBytes('both answers, but for the id', hers.raw, none.raw);
  await readTickets(stage, priya, 'Priya, as before');
}
