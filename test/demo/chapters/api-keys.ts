import { setTimeout as sleep } from 'node:timers/promises';
import { issueKey, KEY_SCOPES, revokeKey, rotateKey } from '../keys.js';
import { unauthenticated } from '../records.js';
import type { Stage } from '../stage.js';
import { readTickets, readTicketsInVain } from './tickets.js';

/** Long enough for two calls, short enough to wait for. */
const OVERLAP_SECONDS = 3;

/** A key is replaced without an outage, and then taken away. */
export async function apiKeys(stage: Stage): Promise<void> {
  stage.ledger.chapter('Marco rotates a key, and revokes the new one');
  const marco = await stage.signedIn('marco', KEY_SCOPES);
  const first = await issueKey(stage, marco, 'dashboard');
  const old = stage.withCredential(first.holder);
  await readTickets(stage, old, 'the key');

  const second = await rotateKey(stage, marco, first, OVERLAP_SECONDS);
  const overlap = sleep(OVERLAP_SECONDS * 1000);
  const renewed = stage.withCredential(second.holder);
  await readTickets(stage, old, 'the old key');
  await readTickets(stage, renewed, 'the new key');
  await overlap;
  await readTicketsInVain(stage, old, 'the old key past its overlap', unauthenticated('expired'));
  await readTickets(stage, renewed, 'the new key');

  await revokeKey(stage, marco, second);
  await readTicketsInVain(stage, renewed, 'the revoked key', unauthenticated('revoked'));
}
