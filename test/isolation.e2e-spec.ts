import { setImmediate } from 'node:timers/promises';
import { Injectable, Scope } from '@nestjs/common';
import { Args, Caller, CurrentCall, McpTool, type Principal, type RunningCall } from 'sallyport';
import { z } from 'zod';
import { legacyClient, modernClient } from './support/clients.js';
import { TestIssuer } from './support/issuer.js';
import { ERAS, toolCall } from './support/messages.js';
import { PLATFORMS, TestServer } from './support/server.js';

const input = z.object({ secret: z.string(), turns: z.number() });
type Input = z.output<typeof input>;

/** What one call sees of itself, after others had every chance to come between. */
async function confess(caller: Principal, { secret, turns }: Input, { call }: RunningCall) {
  const before = `${caller.subject}@${caller.tenant}`;
  for (let turn = 0; turn < turns; turn += 1) await setImmediate();
  const after = `${call.principal?.subject}@${call.principal?.tenant}`;
  return { before, after, secret, id: call.id };
}

@Injectable()
class SharedTools {
  @McpTool({ name: 'shared', description: 'One for all.', scopes: ['crm:read'], risk: 'read', input })
  confess(@Caller() caller: Principal, @Args() args: Input, @CurrentCall() running: RunningCall) {
    return confess(caller, args, running);
  }
}

@Injectable({ scope: Scope.REQUEST })
class RequestTools {
  private secret: string | undefined;

  @McpTool({ name: 'own', description: 'One for each call.', scopes: ['crm:read'], risk: 'read', input })
  async confess(@Caller() caller: Principal, @Args() args: Input, @CurrentCall() running: RunningCall) {
    const seen = this.secret;
    this.secret = args.secret;
    const answer = await confess(caller, args, running);
    return { ...answer, secret: seen === undefined ? this.secret : `that of another: ${seen}` };
  }
}

const PRINCIPALS = [
  { sub: 'alice', tenant: 'acme' },
  { sub: 'alice', tenant: 'globex' },
  { sub: 'bob', tenant: 'acme' },
  { sub: 'carol', tenant: 'initech' },
];
const CALLS = 200;

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await TestIssuer.start();
});
afterAll(async () => issuer.stop());

describe.each(PLATFORMS)('Concurrent calls, on %s,', (platform) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await TestServer.start({ issuer, platform, providers: [SharedTools, RequestTools] });
  });
  afterAll(async () => server.close());

  it('never see the principal, the tenant, the arguments or the answer of another', async () => {
    const tokens = await Promise.all(PRINCIPALS.map((who) => issuer.token({ ...who, scope: 'crm:read' })));
    const calls = Array.from({ length: CALLS }, (_, index) => ({
      who: PRINCIPALS[index % 4],
      secret: `secret-${index}`,
      message: {
        era: ERAS[index % 3 === 0 ? 1 : 0],
        token: tokens[index % 4],
        // The same id for all: it is the client's, and no server may tell calls apart by it.
        id: 1,
        ...toolCall(index % 5 === 0 ? 'own' : 'shared', { secret: `secret-${index}`, turns: index % 17 }),
      },
    }));
    const { answer, records } = await server.observe(() =>
      Promise.all(
        calls.map(({ message: { era, ...message } }) => server.send({ ...message, ...(era && { era }) })),
      ),
    );
    const ids = answer.map(({ result }, index) => {
      const { who, secret } = calls[index] ?? {};
      const self = `${who?.sub}@${who?.tenant}`;
      const said = result?.['structuredContent'] as Record<string, string>;
      expect(said).toMatchObject({ before: self, after: self, secret });
      return { id: said['id'], self };
    });
    expect(new Set(ids.map(({ id }) => id)).size).toBe(CALLS);
    const recorded = new Map(records.map(({ call, subject, tenant }) => [call, `${subject}@${tenant}`]));
    for (const { id, self } of ids) expect(recorded.get(id ?? '')).toBe(self);
    expect(records.every(({ outcome }) => outcome === 'completed')).toBe(true);
  });

  it('of real clients of both eras do not mix either', async () => {
    const clients = await Promise.all(
      PRINCIPALS.map(async (who, index) => {
        const token = await issuer.token({ ...who, scope: 'crm:read' });
        return index % 2 === 0 ? modernClient(server.url, token) : legacyClient(server.url, token);
      }),
    );
    const answers = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const call = { name: 'shared', arguments: { secret: `s-${index}`, turns: index % 7 } };
        const result: unknown = await clients[index % 4]?.callTool(call);
        const { sub, tenant } = PRINCIPALS[index % 4] ?? {};
        return { result, expected: { after: `${sub}@${tenant}`, secret: `s-${index}` } };
      }),
    );
    for (const { result, expected } of answers) expect(result).toMatchObject({ structuredContent: expected });
    await Promise.all(clients.map((client) => client.close()));
  });
});
