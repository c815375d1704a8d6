import { describeRefusal } from '../answer.js';
import { unauthenticated } from '../records.js';
import type { Stage } from '../stage.js';
import { resignedToken, signIn, tokenForOtherAudience, tokenOfOtherIssuer } from '../tokens.js';
import { SIGN_IN_SCOPES } from './office.js';
import { listMail } from './priya.js';

const SCOPES = ['email:read'];

/**
 * A credential that is not good is refused before anything else is looked at. A client sends it with its first message,
 * so the 401 is the answer to that, and the call is never made.
 */
export async function badTokens(stage: Stage): Promise<void> {
  const { server, ledger } = stage;
  ledger.chapter('Tokens that are not good');
  const good = await signIn(server, 'priya', SCOPES);
  await tryToken(stage, 'expired a minute ago', await resignedToken(server, good.token, -60), 'expired');
  await tryToken(stage, 'for another audience', await tokenForOtherAudience(server), 'audience');
  await tryToken(stage, 'of another issuer', await tokenOfOtherIssuer(server), 'unknown_issuer');

  ledger.chapter('For comparison: signed as the expired one, and good for another minute');
  const token = await resignedToken(server, good.token, 60);
  await listMail(stage, stage.withCredential({ ...good, token }));
}

async function tryToken(stage: Stage, what: string, token: string, reason: string): Promise<void> {
  const actor = stage.withBadToken(token);
  await stage.step({
    call: `mail_list_unread, token ${what}`,
    actor,
    ask: (talk) => talk.callTool('mail_list_unread'),
    expected: describeRefusal({
      status: 401,
      code: -32010,
      reason: 'invalid_token',
      scopes: SIGN_IN_SCOPES,
      challenge: 'invalid_token',
    }),
    record: unauthenticated(reason),
  });
}
