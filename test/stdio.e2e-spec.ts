import { once } from 'node:events';
import { Injectable } from '@nestjs/common';
import { Args, Caller, McpPrompt, McpResource, McpTool, Signal, type Principal } from 'sallyport';
import { z } from 'zod';
import { breakAudit } from './support/broken-audit.js';
import { Deferred, eventually } from './support/eventually.js';
import { TestIssuer } from './support/issuer.js';
import { bodyOf, ERAS, toolCall, type Era, type Json } from './support/messages.js';
import { Runs } from './support/server.js';
import { StdioClient } from './support/stdio.js';

@Injectable()
class Tools {
  started = new Deferred();

  constructor(private readonly runs: Runs) {}

  @McpTool({
    name: 'open',
    description: 'Opens.',
    scopes: ['crm:read'],
    risk: 'read',
    input: z.object({ word: z.string().default('none') }),
  })
  open(@Caller() caller: Principal, @Args('word') word: string) {
    this.runs.note('open');
    return `${caller.subject}@${caller.tenant}: ${word}`;
  }

  @McpTool({ name: 'wait', description: 'Waits.', scopes: ['crm:read'], risk: 'read' })
  async wait(@Signal() signal: AbortSignal) {
    this.started.resolve();
    await once(signal, 'abort');
    throw signal.reason;
  }

  @McpTool({ name: 'docs', description: 'Reads.', public: true, risk: 'read' })
  docs(@Caller() caller: Principal | undefined) {
    this.runs.note('docs');
    return caller?.subject ?? 'nobody';
  }

  @McpTool({ name: 'wipe', description: 'Wipes.', scopes: ['crm:read'], risk: 'destructive' })
  wipe() {
    this.runs.note('wipe');
    return 'gone';
  }

  @McpTool({ name: 'purge', description: 'Purges.', role: 'agent:admin', risk: 'read' })
  purge() {
    this.runs.note('purge');
    return 'gone';
  }

  @McpResource({ name: 'page', uri: 'crm://{id}', description: 'A page.', scopes: ['crm:read'] })
  page(@Args('id') id: string) {
    this.runs.note('page');
    return id;
  }

  @McpPrompt({ name: 'ask', description: 'Asks.', scopes: ['tickets:read'] })
  ask() {
    this.runs.note('ask');
    return 'please';
  }
}

const METADATA = 'http://127.0.0.1/.well-known/oauth-protected-resource/mcp';
const GOOD = { sub: 'alice', tenant: 'acme', scope: 'crm:read' };

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await TestIssuer.start();
});
afterAll(async () => issuer.stop());

/** A client of this era that is done with its handshake. */
async function connect(era: Era, token: string | undefined, sallyport = {}): Promise<StdioClient> {
  const client = await StdioClient.start({ issuer, providers: [Tools], token, sallyport });
  if (era === '2025-11-25') await client.initialize();
  return client;
}

describe.each(ERAS)('Over stdio in %s, a caller with a token', (era) => {
  let client: StdioClient;

  beforeAll(async () => {
    client = await connect(era, await issuer.token(GOOD));
  });
  afterAll(async () => client.close());

  function call(message: { method: string; params?: Json }) {
    return client.observe(() => client.request({ era, ...message }));
  }

  it('runs what its token opens, and is recorded as itself', async () => {
    const { answer, ran, records } = await call(toolCall('open', { word: 'hi' }));
    expect(answer.result).toMatchObject({ content: [{ text: 'alice@acme: hi' }] });
    expect(ran).toEqual(['open']);
    expect(records).toMatchObject([
      {
        kind: 'attempt',
        via: 'stdio',
        address: null,
        subject: 'alice',
        tenant: 'acme',
        outcome: 'completed',
      },
    ]);
  });

  it('reads resources', async () => {
    const { answer } = await call({ method: 'resources/read', params: { uri: 'crm://7' } });
    expect(answer.result).toMatchObject({ contents: [{ uri: 'crm://7', text: '7' }] });
  });

  it('is shown what it may know', async () => {
    const { answer, records } = await call({ method: 'tools/list' });
    const tools = answer.result?.['tools'] as { name: string }[];
    expect(tools.map(({ name }) => name)).toEqual(['docs', 'open', 'wait', 'wipe']);
    expect(records).toMatchObject([{ kind: 'list', via: 'stdio', shown: 4, subject: 'alice' }]);
  });

  it.each<[string, { method: string; params: Json }, Json, string]>([
    [
      'lacks the scope',
      { method: 'prompts/get', params: { name: 'ask' } },
      {
        code: -32011,
        data: { reason: 'insufficient_scope', scopes: ['tickets:read'], resource_metadata: METADATA },
      },
      'insufficient_scope',
    ],
    ['lacks the role', toolCall('purge'), { code: -32602, data: { reason: 'unknown' } }, 'role'],
    [
      'asks for what does not exist',
      toolCall('purgx'),
      { code: -32602, data: { reason: 'unknown' } },
      'unknown_entry',
    ],
    [
      'needs approval',
      toolCall('wipe'),
      { code: -32012, data: { reason: 'approval_required' } },
      'approval_required',
    ],
  ])('is refused when it %s', async (_what, message, error, reason) => {
    const { answer, ran, records } = await call(message);
    expect(answer.error).toMatchObject(error);
    expect(ran).toEqual([]);
    expect(records).toMatchObject([{ kind: 'refusal', via: 'stdio', reason }]);
  });

  it('cannot tell what is hidden from what does not exist', async () => {
    const hidden = await client.request({ era, ...toolCall('purge') });
    const missing = await client.request({ era, ...toolCall('purgx') });
    expect(hidden).toEqual(missing);
  });

  it('ends a call by cancelling it', async () => {
    const tools = client.context.get(Tools);
    tools.started = new Deferred();
    client.write(`${JSON.stringify(bodyOf({ era, id: 'long', ...toolCall('wait') }))}\n`);
    await tools.started.promise;
    const cancelled = bodyOf({ era, method: 'notifications/cancelled', params: { requestId: 'long' } });
    const { id: _id, ...notification } = cancelled;
    client.write(`${JSON.stringify(notification)}\n`);
    const record = await eventually(
      () => client.lastRecord(),
      (last) => last?.outcome !== 'ambiguous',
    );
    expect(record).toMatchObject({ entry: 'wait', outcome: 'aborted' });
  });

  it('runs nothing when the audit cannot record', async () => {
    const { answer, ran } = await client.observe(async () => {
      const repair = await breakAudit({ app: client.context }, 'its table is gone');
      const given = await client.request({ era, ...toolCall('open') });
      await repair();
      return given;
    });
    expect(answer.error).toMatchObject({ code: -32013, data: { reason: 'unavailable' } });
    expect(ran).toEqual([]);
  });
});

describe.each(ERAS)('Over stdio in %s, a line', (era) => {
  const limits = { maxBodyBytes: 2048, maxDepth: 16, maxElements: 100 };
  let client: StdioClient;

  beforeAll(async () => {
    client = await connect(era, await issuer.token(GOOD), { limits });
  });
  afterAll(async () => client.close());

  const line = JSON.stringify(bodyOf({ era, id: 'bad', ...toolCall('open', { word: 'here' }) }));

  it.each<[string, string | Buffer, number]>([
    ['of a batch', `[${line}]`, -32600],
    ['with a duplicate key', line.replace('"method"', '"method":"tools/list","method"'), -32700],
    ['with __proto__', line.replace('"word"', '"__proto__":{},"word"'), -32700],
    ['that is nested too deeply', line.replace('"here"', '['.repeat(20) + ']'.repeat(20)), -32700],
    ['with too many elements', line.replace('"here"', JSON.stringify(Array(200).fill(0))), -32700],
    ['that is too long', line.replace('here', 'x'.repeat(3000)), -32600],
    ['that is no JSON', 'hello', -32700],
    ['that holds half of a surrogate pair', line.replace('here', String.raw`\ud800`), -32700],
    ['that is a string', '"tools/call"', -32600],
    ['that is not UTF-8', Buffer.concat([Buffer.from(line.slice(0, -1)), Buffer.from([0xff, 0x7d])]), -32700],
  ])('%s is refused, and the next one is read', async (_what, bytes, code) => {
    const { answer, ran, records } = await client.observe(async () => {
      client.write(Buffer.concat([Buffer.from(bytes), Buffer.from('\n')]));
      return client.answerTo(null);
    });
    expect(answer.error).toMatchObject({ code });
    expect({ ran, records }).toEqual({ ran: [], records: [] });
    expect((await client.request({ era, id: 'next', ...toolCall('open') })).result).toBeDefined();
  });

  it.each([
    era === '2026-07-28' ? 'resources/subscribe' : 'subscriptions/listen',
    'logging/setLevel',
    'tasks/list',
    'roots/list',
    'nonsense',
  ])('with the method %s is answered by us, and not by the SDK', async (method) => {
    const { answer, ran } = await client.observe(() => client.request({ era, id: method, method }));
    expect(answer.error).toEqual({ code: -32601, message: 'This method is not served here.' });
    expect(ran).toEqual([]);
  });

  it('may come in pieces, and several at a time', async () => {
    const bytes = Buffer.from(
      ['é', '🚀', '三']
        .map((word, id) => `${JSON.stringify(bodyOf({ era, id, ...toolCall('open', { word }) }))}\n`)
        .join(''),
    );
    for (const byte of bytes) client.write(Buffer.from([byte]));
    client.write(bytes);
    for (const [id, word] of ['é', '🚀', '三'].entries()) {
      const answers = [await client.answerTo(id), await client.answerTo(id)];
      for (const { result } of answers)
        expect(result).toMatchObject({ content: [{ text: `alice@acme: ${word}` }] });
    }
  });
});

describe.each(ERAS)('Over stdio in %s, without a good token', (era) => {
  it('a caller without one is anonymous: it gets public entries, and is asked to sign in for others', async () => {
    const client = await connect(era, undefined);
    const open = await client.observe(() => client.request({ era, ...toolCall('docs') }));
    expect(open.answer.result).toMatchObject({ content: [{ text: 'nobody' }] });
    expect(open.records).toMatchObject([{ via: 'stdio', subject: null, outcome: 'completed' }]);
    const shut = await client.observe(() => client.request({ era, ...toolCall('open') }));
    expect(shut.answer.error).toMatchObject({ code: -32010, data: { reason: 'authentication_required' } });
    expect(shut.ran).toEqual([]);
    expect(shut.records).toMatchObject([{ reason: 'authentication_required', via: 'stdio' }]);
    const unknown = await client.request({ era, ...toolCall('opem') });
    expect(unknown).toEqual(shut.answer);
    const { result } = await client.request({ era, method: 'tools/list' });
    expect(result?.['tools']).toMatchObject([{ name: 'docs' }]);
    await client.close();
  });

  it("a caller without one gets nothing where anonymous is 'refuse'", async () => {
    const client = await connect(era, undefined, { anonymous: 'refuse' });
    for (const message of [toolCall('docs'), toolCall('open'), { method: 'tools/list' }]) {
      const { answer, ran } = await client.observe(() => client.request({ era, ...message }));
      expect(answer.error).toMatchObject({ code: -32010 });
      expect(ran).toEqual([]);
    }
    await client.close();
  });

  it('a caller with a bad one gets nothing at all, public or not', async () => {
    const token = await issuer.token({ ...GOOD, claims: { aud: 'https://other.example' } });
    const client = await connect(era, token);
    for (const message of [toolCall('docs'), toolCall('open'), { method: 'tools/list' }]) {
      const { answer, ran, records } = await client.observe(() => client.request({ era, ...message }));
      expect(answer.error).toMatchObject({ code: -32010, data: { reason: 'invalid_token' } });
      expect(ran).toEqual([]);
      expect(records).toMatchObject([{ kind: 'authentication', reason: 'audience', via: 'stdio' }]);
    }
    expect(client.logs.lines.join('\n')).not.toContain(token.split('.')[1]);
    await client.close();
  });
});

describe.each(ERAS)('Over stdio in %s, a token that expires meanwhile', (era) => {
  const realNow = Date.now;
  let later = 0;

  beforeAll(() => {
    Date.now = () => realNow() + later;
  });
  afterAll(() => {
    Date.now = realNow;
  });

  it('opens nothing any more', async () => {
    const client = await connect(era, await issuer.token(GOOD));
    expect((await client.request({ era, ...toolCall('open') })).result).toBeDefined();
    later = 3_600_000;
    const { answer, ran, records } = await client.observe(() => client.request({ era, ...toolCall('open') }));
    later = 0;
    expect(answer.error).toMatchObject({ data: { reason: 'invalid_token' } });
    expect(ran).toEqual([]);
    expect(records).toMatchObject([{ kind: 'authentication', reason: 'expired', via: 'stdio' }]);
    await client.close();
  });
});
