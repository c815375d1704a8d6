import { describeRefusal, listOf, structured, textOf } from '../answer.js';
import { listed, permitted, refused } from '../records.js';
import type { Stage } from '../stage.js';
import { SIGN_IN_SCOPES, toolsIn } from './office.js';

/** Without a token the public entries work, and everything else asks to sign in. */
export async function nobody(stage: Stage): Promise<void> {
  stage.ledger.chapter('Without a token');
  const actor = stage.nobody();
  await stage.step({
    call: 'tools/list',
    actor,
    ask: (talk) => talk.listTools(),
    summary: toolsIn,
    expected: 'HTTP 200: docs_search',
    record: listed(),
  });
  await stage.step({
    call: 'docs_search "consent"',
    actor,
    ask: (talk) => talk.callTool('docs_search', { query: 'consent' }),
    summary: (result) =>
      listOf(structured(result)['results'])
        .map(({ slug }) => slug)
        .join(', '),
    expected: 'HTTP 200: connecting-a-client, scopes-and-roles',
    record: permitted('docs_search'),
  });
  await stage.step({
    call: 'resources/read docs://tenants',
    actor,
    ask: (talk) => talk.readResource('docs://tenants'),
    summary: (result) => textOf(result).split('\n')[0] ?? '',
    expected: 'HTTP 200: # Tenants',
    record: permitted('docs_page'),
  });
  await stage.step({
    call: 'mail_list_unread',
    actor,
    ask: (talk) => talk.callTool('mail_list_unread'),
    expected: describeRefusal({
      status: 401,
      code: -32010,
      reason: 'authentication_required',
      scopes: SIGN_IN_SCOPES,
      challenge: 'no error',
    }),
    record: refused('mail_list_unread', 'authentication_required', 'email:read'),
  });
}
