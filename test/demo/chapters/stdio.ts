import { describeRefusal, listOf, structured } from '../answer.js';
import { listed, permitted, refused } from '../records.js';
import type { Stage } from '../stage.js';
import { signIn } from '../tokens.js';
import { SIGN_IN_SCOPES, toolsIn } from './office.js';
import { listMail, PRIYA_SCOPES, sendMail } from './priya.js';

/** The same gate for a local process: the principal comes from its environment, and the same database is written to. */
export async function stdio(stage: Stage): Promise<void> {
  stage.ledger.chapter('Over stdio: Priya, with her token in SALLYPORT_TOKEN');
  const actor = stage.onStdio(await signIn(stage.server, 'priya', PRIYA_SCOPES));
  await stage.step({
    call: 'tools/list',
    actor,
    ask: (talk) => talk.listTools(),
    summary: toolsIn,
    expected: 'stdio: all 14 tools but crm_delete_record',
    record: listed(),
  });
  await listMail(stage, actor);
  const data = await sendMail(stage, actor);
  const metadata = `${stage.server.url}/.well-known/oauth-protected-resource/mcp`;
  const sameAsOverHttp = {
    reason: 'insufficient_scope',
    scopes: ['email:send'],
    resource_metadata: metadata,
  };
  stage.ledger.compareBytes(
    'data of the refusal: as over HTTP',
    JSON.stringify(sameAsOverHttp),
    JSON.stringify(data),
  );
  await nobodyOnStdio(stage);
}

async function nobodyOnStdio(stage: Stage): Promise<void> {
  stage.ledger.chapter('Over stdio: nobody');
  const actor = stage.onStdio();
  await stage.step({
    call: 'docs_search "tenant"',
    actor,
    ask: (talk) => talk.callTool('docs_search', { query: 'tenant' }),
    summary: (result) =>
      listOf(structured(result)['results'])
        .map(({ slug }) => slug)
        .join(', '),
    expected: 'stdio: tenants',
    record: permitted('docs_search'),
  });
  await stage.step({
    call: 'mail_list_unread',
    actor,
    ask: (talk) => talk.callTool('mail_list_unread'),
    expected: describeRefusal({
      code: -32010,
      reason: 'authentication_required',
      scopes: SIGN_IN_SCOPES,
    }),
    record: refused('mail_list_unread', 'authentication_required', 'email:read'),
  });
}
