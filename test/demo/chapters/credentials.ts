import { issueKey, KEY_SCOPES } from '../keys.js';
import { partnerToken } from '../partner-token.js';
import type { Stage } from '../stage.js';
import { readTickets } from './tickets.js';

/** Three sources of identity, one gate: the same call, the same answer, and in the audit who it was each time. */
export async function credentials(stage: Stage): Promise<void> {
  stage.ledger.chapter(
    "One tool with a provider's token, an API key and a partner's token (Passport strategy)",
  );
  const priya = await stage.signedIn('priya', ['tickets:read']);
  const withToken = await readTickets(stage, priya, "Priya's token");

  const marco = await stage.signedIn('marco', KEY_SCOPES);
  const key = await issueKey(stage, marco, 'nightly export');
  const withKey = await readTickets(stage, stage.withCredential(key.holder), 'the key');

  const partner = stage.withCredential(await partnerToken(stage.server));
  const withPartnerToken = await readTickets(stage, partner, "a partner's token");

  stage.ledger.compareBytes('token and key, but for the id', withToken.raw, withKey.raw);
  stage.ledger.compareBytes("token and partner's, but for the id", withToken.raw, withPartnerToken.raw);
}
