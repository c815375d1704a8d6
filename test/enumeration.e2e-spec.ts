import { Injectable } from '@nestjs/common';
import { RevocationService } from '@sallyport/policy';
import {
  Args,
  McpCompletion,
  McpPrompt,
  McpResource,
  McpTool,
  RoleDirectory,
  type PolicyRule,
  type SallyportOptions,
} from 'sallyport';
import { z } from 'zod';
import { EventStream } from './support/event-stream.js';
import { TestIssuer, type TokenRequest } from './support/issuer.js';
import { comparable, ERAS, type Era, type Json } from './support/messages.js';
import { Runs, TestServer, WAYS } from './support/server.js';
import { StdioClient } from './support/stdio.js';

@Injectable()
class NobodyMayKnow implements PolicyRule {
  permits() {
    return false;
  }

  permitsListing() {
    return false;
  }
}

@Injectable()
class NotWithTheseArguments implements PolicyRule {
  permits() {
    return 'not with these';
  }
}

/** Why a caller may not know of an entry, each with an entry that is refused for it; `absent` is declared nowhere. */
const HIDDEN = {
  role: { role: 'agent:admin' },
  tenant: { scopes: ['crm:read'], tenancy: { argument: 'id' } },
  rule: { scopes: ['crm:read'], when: NobodyMayKnow },
  arguments: { scopes: ['crm:read'], when: NotWithTheseArguments },
  revoked: { scopes: ['crm:read'] },
} as const;
type Reason = keyof typeof HIDDEN;
const REASONS = Object.keys(HIDDEN) as Reason[];

function hidden(reason: Reason) {
  const input = z.object({ id: z.string() });
  const options = { ...HIDDEN[reason], name: reason, description: `Hidden for ${reason}.`, input };

  @Injectable()
  class Hidden {
    constructor(private readonly runs: Runs) {}

    @McpTool({ ...options, risk: 'read' })
    tool(@Args('id') id: string) {
      this.runs.note(`tool ${id}`);
      return id;
    }

    @McpResource({ ...options, uri: `${reason}://{id}` })
    resource(@Args('id') id: string) {
      this.runs.note(`resource ${id}`);
      return id;
    }

    @McpPrompt(options)
    prompt(@Args('id') id: string) {
      this.runs.note(`prompt ${id}`);
      return id;
    }

    @McpCompletion({ prompt: reason, argument: 'id' })
    ofPrompt() {
      this.runs.note('completion');
      return ['secret'];
    }

    @McpCompletion({ resource: reason, argument: 'id' })
    ofResource() {
      this.runs.note('completion');
      return ['secret'];
    }
  }
  return Hidden;
}

/** Counts how often somebody is looked up. */
@Injectable()
class Roles extends RoleDirectory {
  static lookUps = 0;

  async rolesOf() {
    Roles.lookUps += 1;
    return ['agent:read-only'];
  }
}

const BY_TEST = { by: 'test', via: 'cli', address: undefined, actor: undefined } as const;
const ALICE: TokenRequest = { sub: 'alice', tenant: 'acme', scope: 'crm:read', roles: ['agent:read-only'] };
const SALLYPORT: Partial<SallyportOptions> = { roleDirectory: Roles, sessions: {} };
const PROVIDERS = [...REASONS.map(hidden), NobodyMayKnow, NotWithTheseArguments, Roles];

/** Every question whose answer might tell that an entry exists. `name` is a hidden entry, or one that is not there. */
const QUESTIONS: Record<string, (name: string) => { method: string; params: Json }> = {
  'tools/call': (name) => ({ method: 'tools/call', params: { name, arguments: { id: '7' } } }),
  'resources/read': (name) => ({ method: 'resources/read', params: { uri: `${name}://7` } }),
  'prompts/get': (name) => ({ method: 'prompts/get', params: { name, arguments: { id: '7' } } }),
  'completion of a prompt': (name) => ({
    method: 'completion/complete',
    params: { ref: { type: 'ref/prompt', name }, argument: { name: 'id', value: '7' } },
  }),
  'completion of a resource': (name) => ({
    method: 'completion/complete',
    params: { ref: { type: 'ref/resource', uri: `${name}://{id}` }, argument: { name: 'id', value: '7' } },
  }),
};

/** With arguments that a schema would refuse: whether there is a schema is nothing to the caller, either. */
const MALFORMED: typeof QUESTIONS = {
  'tools/call': (name) => ({ method: 'tools/call', params: { name, arguments: { id: 7, more: [] } } }),
  'prompts/get': (name) => ({ method: 'prompts/get', params: { name, arguments: { other: 'x' } } }),
};

/** A rule that looks at arguments refuses when they are known; that the entry exists, its list says. */
const ALWAYS_HIDDEN = REASONS.filter((reason) => reason !== 'arguments' && reason !== 'tenant');

/** What an answer cost, as far as it can be counted: records, and look-ups of roles. */
interface Cost {
  readonly records: number;
  readonly lookUps: number;
}

let issuer: TestIssuer;
let token: string;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  token = await issuer.token(ALICE);
});

afterAll(() => issuer.stop());

/** The same length, so that lengths tell nothing of the test. */
function absentLike(reason: Reason): string {
  return 'absent'.padEnd(reason.length, 'x').slice(0, reason.length);
}

describe.each(WAYS)('nothing to enumerate on %s, %s', (platform, era) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await TestServer.start({ issuer, platform, providers: PROVIDERS, sallyport: SALLYPORT });
    const service = server.app.get(RevocationService, { strict: false });
    await service.revoke({ kind: 'entry', value: 'revoked' }, BY_TEST);
  });

  afterAll(() => server.close());

  async function observe<T>(work: () => Promise<T>): Promise<{ answer: T; cost: Cost; ran: string[] }> {
    const before = Roles.lookUps;
    const { answer, records, ran } = await server.observe(work);
    return { answer, cost: { records: records.length, lookUps: Roles.lookUps - before }, ran };
  }

  const cases = Object.keys(QUESTIONS).flatMap((question) =>
    REASONS.map((reason): [string, Reason] => [question, reason]),
  );

  it.each(cases)(
    '%s: what is refused for %s is what does not exist, to the byte and in effort',
    async (question, reason) => {
      const ask = (name: string) => observe(() => server.send({ era, token, ...QUESTIONS[question]!(name) }));
      const refused = await ask(reason);
      const absent = await ask(absentLike(reason));
      expect(comparable(refused.answer)).toEqual(comparable(absent.answer));
      expect(refused.answer.error).toMatchObject({ code: -32602, data: { reason: 'unknown' } });
      expect(refused.cost).toEqual(absent.cost);
      expect(refused.cost).toEqual({ records: 1, lookUps: 1 });
      expect([...refused.ran, ...absent.ran]).toEqual([]);
    },
  );

  it.each(
    Object.keys(MALFORMED).flatMap((question) =>
      ALWAYS_HIDDEN.map((reason): [string, Reason] => [question, reason]),
    ),
  )(
    '%s with arguments that do not match: what is refused for %s says nothing of its schema',
    async (question, reason) => {
      const ask = (name: string) => observe(() => server.send({ era, token, ...MALFORMED[question]!(name) }));
      const [refused, absent] = [await ask(reason), await ask(absentLike(reason))];
      expect(comparable(refused.answer)).toEqual(comparable(absent.answer));
      expect(refused.cost).toEqual(absent.cost);
    },
  );

  it.each(REASONS)('a caller without a credential learns nothing of what %s hides', async (reason) => {
    for (const question of Object.values(QUESTIONS)) {
      const ask = (name: string) => observe(() => server.send({ era, ...question(name) }));
      const [refused, absent] = [await ask(reason), await ask(absentLike(reason))];
      expect(comparable(refused.answer)).toEqual(comparable(absent.answer));
      expect(refused.answer.status).toBe(401);
      expect(refused.cost).toEqual(absent.cost);
      expect(refused.ran).toEqual([]);
    }
  });

  if (era === '2026-07-28') {
    it.each(REASONS)(
      'subscriptions leave out what is refused for %s as what does not exist',
      async (reason) => {
        const ask = (name: string) =>
          observe(async () => {
            const params = { notifications: { resourceSubscriptions: [`${name}://7`] } };
            const stream = await EventStream.post(server.url, {
              token,
              method: 'subscriptions/listen',
              params,
            });
            await stream.ended;
            return { status: stream.status, messages: stream.messages };
          });
        const [refused, absent] = [await ask(reason), await ask(absentLike(reason))];
        expect(refused.answer).toEqual(absent.answer);
        expect(refused.answer.messages).toMatchObject([{ params: { notifications: {} } }, { result: {} }]);
        expect(refused.cost).toEqual(absent.cost);
      },
    );
  } else {
    it.each(REASONS)(
      'in a session, subscribing to what is refused for %s is as to what does not exist',
      async (reason) => {
        const params = { protocolVersion: era, capabilities: {}, clientInfo: { name: 'a', version: '1' } };
        const hello = await server.send({ era, token, method: 'initialize', params });
        const headers = { 'Mcp-Session-Id': hello.headers['mcp-session-id'] ?? '' };
        const ask = (name: string) =>
          observe(() =>
            server.send({
              era,
              token,
              headers,
              method: 'resources/subscribe',
              params: { uri: `${name}://7` },
            }),
          );
        const [refused, absent] = [await ask(reason), await ask(absentLike(reason))];
        expect(comparable(refused.answer)).toEqual(comparable(absent.answer));
        expect(refused.answer.error).toMatchObject({ data: { reason: 'unknown' } });
        expect(refused.cost).toEqual(absent.cost);
        expect(refused.ran).toEqual([]);
      },
    );
  }

  it('lists show none of what is always hidden', async () => {
    for (const method of ['tools/list', 'resources/list', 'resources/templates/list', 'prompts/list']) {
      const { text } = await server.send({ era, token, method });
      for (const reason of ALWAYS_HIDDEN) expect(text).not.toContain(`"${reason}"`);
    }
  });
});

describe.each(ERAS)('nothing to enumerate over stdio in %s', (era: Era) => {
  let client: StdioClient;

  beforeAll(async () => {
    client = await StdioClient.start({ issuer, token, providers: PROVIDERS, sallyport: SALLYPORT });
    if (era === '2025-11-25') await client.initialize();
    const service = client.context.get(RevocationService, { strict: false });
    await service.revoke({ kind: 'entry', value: 'revoked' }, BY_TEST);
  });

  afterAll(() => client.close());

  const questions: typeof QUESTIONS =
    era === '2025-11-25'
      ? {
          ...QUESTIONS,
          subscribe: (name) => ({ method: 'resources/subscribe', params: { uri: `${name}://7` } }),
        }
      : QUESTIONS;

  it.each(REASONS)('what is refused for %s is what does not exist', async (reason) => {
    for (const question of Object.values(questions)) {
      const ask = async (name: string) => {
        const before = Roles.lookUps;
        const { answer, records, ran } = await client.observe(() =>
          client.request({ era, ...question(name) }),
        );
        return { answer, cost: { records: records.length, lookUps: Roles.lookUps - before }, ran };
      };
      const [refused, absent] = [await ask(reason), await ask(absentLike(reason))];
      expect(JSON.stringify(refused.answer)).toBe(JSON.stringify(absent.answer));
      expect(refused.answer.error).toMatchObject({ code: -32602, data: { reason: 'unknown' } });
      expect(refused.cost).toEqual(absent.cost);
      expect(refused.cost.records).toBe(1);
      expect([...refused.ran, ...absent.ran]).toEqual([]);
    }
  });
});
