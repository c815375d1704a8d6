import { structured, listOf } from '../answer.js';
import { HeadlessOAuthProvider } from '../headless-oauth-provider.js';
import { permitted, refused } from '../records.js';
import type { Stage } from '../stage.js';
import type { OAuthConversation } from '../story-client.js';
import { callerOf } from '../tokens.js';
import { SIGN_IN_SCOPES } from './office.js';

const DISCOVERY = [
  'tools/call 401',
  'GET …/oauth-protected-resource/mcp 200',
  'GET …/oauth-authorization-server/idp 200',
  'POST /idp/reg 201',
];

/** The client knows the URL of the server and nothing else; the SDK finds out the rest from the 401. */
export async function oauth(stage: Stage): Promise<void> {
  stage.ledger.chapter('Lena connects a client that knows nothing but the URL of the server');
  const provider = new HeadlessOAuthProvider('lena');
  const conversation = stage.client.withOAuth(stage.server.resource, provider);
  const nobody = stage.enter(undefined, conversation.talk);
  await callUntilSignIn(stage, conversation);
  await stage.expectRecord(refused('mail_list_unread', 'authentication_required', 'email:read'), nobody);
  stage.ledger.compare('the sign-in and consent pages', 'back with a code', codeIn(provider.callback));
  await redeemCode(stage, conversation, provider);
  const token = provider.tokens()?.access_token ?? '';
  const caller = callerOf(stage.server, 'lena', token, SIGN_IN_SCOPES);
  await stage.step({
    call: 'mail_list_unread again',
    actor: stage.enter(caller, conversation.talk),
    ask: (talk) => talk.callTool('mail_list_unread'),
    summary: (result) =>
      listOf(structured(result)['messages'])
        .map(({ subject }) => subject)
        .join(', '),
    expected: 'HTTP 200: Your new badge',
    record: permitted('mail_list_unread', 'email:read'),
  });
}

async function callUntilSignIn(stage: Stage, { talk, wire }: OAuthConversation): Promise<void> {
  // Connects as nobody first, so that the requests below are those of the call alone.
  await talk.connectNow();
  const mark = wire.mark;
  await talk.callTool('mail_list_unread');
  const trace = wire.trace(mark).map((request) => request.replace('/.well-known', '…'));
  stage.ledger.compare(
    'mail_list_unread, and what the SDK does then',
    DISCOVERY.join('\n'),
    trace.join('\n'),
  );
}

async function redeemCode(
  stage: Stage,
  { finish, wire }: OAuthConversation,
  provider: HeadlessOAuthProvider,
): Promise<void> {
  const mark = wire.mark;
  await finish(provider.callback);
  const last = wire.trace(mark).at(-1) ?? 'nothing';
  stage.ledger.compare('finishAuth', 'POST /idp/token 200', last);
  const scope = provider.tokens()?.scope ?? '';
  stage.ledger.compare('scopes of the token: those of the 401', SIGN_IN_SCOPES.join(' '), scope);
}

function codeIn(callback: URL): string {
  const code = callback.searchParams.get('code');
  return code === null ? `back with ${callback.search}` : 'back with a code';
}
