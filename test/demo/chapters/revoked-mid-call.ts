import { Deferred } from '../../support/eventually.js';
import { describeAnswer, describeRefusal, shown } from '../answer.js';
import type { Answer } from '../answer.js';
import { aborted, refused } from '../records.js';
import type { Actor, Stage } from '../stage.js';
import { lift, revoke } from './revocations.js';
import { readTickets, readTicketsInVain } from './tickets.js';

const SECONDS = 30;
/** The call has to end long before it would by itself. */
const SOON_MS = 5_000;

/** A revocation does not wait for the next call. */
export async function revokedMidCall(stage: Stage): Promise<void> {
  stage.ledger.chapter('Priya is revoked in the middle of a long call');
  const marco = await stage.signedIn('marco', ['revocations:manage']);
  const priya = await stage.signedIn('priya', ['tickets:read']);
  await revokeWhileWatching(stage, priya, marco);
  const revoked = refused('tickets_read', 'revoked', 'tickets:read');
  await readTicketsInVain(stage, priya, 'the next call', revoked);
  await lift(stage, marco);
  await readTickets(stage, priya, 'the same token');
}

async function revokeWhileWatching(stage: Stage, priya: Actor, marco: Actor): Promise<void> {
  const reports: number[] = [];
  const firstReport = new Deferred();
  const watching = priya.talk.callTool('tickets_watch', { seconds: SECONDS }, ({ progress }) => {
    reports.push(progress);
    firstReport.resolve();
  });
  await stage.expectRecord(aborted('tickets_watch', 'tickets:read'), priya);
  // A call that ends before it has reported anything fails the checks below.
  await Promise.race([firstReport.promise, watching]);
  const revokedAt = performance.now();
  await revoke(stage, marco, ', at its first report');
  compareEnd(stage, await watching, performance.now() - revokedAt);
  stage.ledger.compare('progress that Priya saw, in seconds', '1', reports.join(', '));
}

function compareEnd(stage: Stage, answer: Answer, afterMs: number): void {
  // Its stream had begun with 200, so there is no status left to say it with, and no challenge.
  const expected = describeRefusal({ status: 200, code: -32010, reason: 'invalid_token' });
  stage.ledger.compare(`tickets_watch, ${SECONDS} seconds`, expected, describeAnswer(answer, shown));
  const seconds = (ms: number): string => `within ${Math.ceil(ms / SOON_MS) * (SOON_MS / 1000)} s`;
  stage.ledger.compare('its end after the revocation', seconds(SOON_MS), seconds(afterMs));
}
