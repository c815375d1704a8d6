import { Injectable } from '@nestjs/common';
import { McpPrompt, McpResource, McpTool } from 'sallyport';
import { z } from 'zod';
import { TestIssuer, type TokenRequest } from './support/issuer.js';
import { comparable, toolCall, type Json } from './support/messages.js';
import { Runs, TestServer, WAYS } from './support/server.js';

const ADMIN = { description: 'For administrators.', role: 'agent:admin' } as const;

@Injectable()
class Tools {
  constructor(private readonly runs: Runs) {}

  @McpTool({ ...ADMIN, name: 'purge', risk: 'write', input: z.object({ days: z.number() }) })
  purge() {
    return this.#ran('purge');
  }

  @McpTool({ ...ADMIN, name: 'wipe', risk: 'destructive', scopes: ['wipe'] })
  wipe() {
    return this.#ran('wipe');
  }

  @McpTool({ name: 'open', description: 'Opens.', role: ['agent:read-only', 'agent:robot'], risk: 'read' })
  open() {
    return this.#ran('open');
  }

  @McpResource({ ...ADMIN, name: 'keys', uri: 'vault://keys' })
  keys() {
    return this.#ran('keys');
  }

  @McpResource({ ...ADMIN, name: 'key', uri: 'vault://keys/{id}' })
  key() {
    return this.#ran('key');
  }

  @McpPrompt({ ...ADMIN, name: 'rotate' })
  rotate() {
    return this.#ran('rotate');
  }

  #ran(name: string): string {
    this.runs.note(name);
    return name;
  }
}

type Message = { method: string; params: Json };

/** A call of something hidden, and the same of something that does not exist. */
const HIDDEN: readonly [string, Message, Message][] = [
  ['a tool', toolCall('purge', { days: 1 }), toolCall('purgx', { days: 1 })],
  [
    'a tool, with arguments that do not match',
    toolCall('purge', { days: 'x' }),
    toolCall('purgx', { days: 'x' }),
  ],
  ['a tool that also lacks scopes and waits for approval', toolCall('wipe'), toolCall('wipx')],
  [
    'a resource',
    { method: 'resources/read', params: { uri: 'vault://keys' } },
    { method: 'resources/read', params: { uri: 'vault://keyz' } },
  ],
  [
    'a resource of a template',
    { method: 'resources/read', params: { uri: 'vault://keys/1' } },
    { method: 'resources/read', params: { uri: 'vault://keyz/1' } },
  ],
  [
    'a prompt',
    { method: 'prompts/get', params: { name: 'rotate' } },
    { method: 'prompts/get', params: { name: 'rotatx' } },
  ],
];

const CALLERS: readonly [string, TokenRequest][] = [
  ['without a role', {}],
  ['with a lower role', { roles: ['agent:contributor'] }],
  ['with a role nobody configured', { roles: ['agent:owner'] }],
  ['with a role that only looks alike', { roles: ['Agent:Admin', 'agent:admin2'] }],
];

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await TestIssuer.start();
});
afterAll(async () => issuer.stop());

const roles = {
  'agent:admin': ['agent:contributor'],
  'agent:contributor': ['agent:read-only'],
  'agent:read-only': [],
  'agent:robot': [],
};

describe.each(WAYS)('Roles, on %s in %s:', (platform, era) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await TestServer.start({ issuer, platform, providers: [Tools], sallyport: { roles } });
  });
  afterAll(async () => server.close());

  describe.each(CALLERS)('a caller %s', (_who, request) => {
    it.each(HIDDEN)('cannot tell %s from one that does not exist', async (_what, hidden, unknown) => {
      const token = await issuer.token({ tenant: 'acme', ...request });
      const refused = await server.observe(() => server.send({ era, token, ...hidden }));
      const missing = await server.observe(() => server.send({ era, token, ...unknown }));
      expect(comparable(refused.answer)).toEqual(comparable(missing.answer));
      expect(refused.answer.error).toMatchObject({ code: -32602, data: { reason: 'unknown' } });
      expect([...refused.ran, ...missing.ran]).toEqual([]);
      expect(refused.records).toMatchObject([{ kind: 'refusal', reason: 'role', decision: 'refuse' }]);
      expect(missing.records).toMatchObject([{ kind: 'refusal', reason: 'unknown_entry' }]);
    });
  });

  it.each(['agent:admin', 'agent:contributor', 'agent:read-only', 'agent:robot'])(
    'runs what %s holds, itself or by inheritance',
    async (role) => {
      const token = await issuer.token({ tenant: 'acme', roles: [role] });
      const { answer, ran } = await server.observe(() => server.send({ era, token, ...toolCall('open') }));
      expect({ status: answer.status, ran }).toEqual({ status: 200, ran: ['open'] });
    },
  );

  it('does not inherit upwards', async () => {
    const token = await issuer.token({ tenant: 'acme', roles: ['agent:read-only', 'agent:robot'] });
    const { ran } = await server.observe(() =>
      server.send({ era, token, ...toolCall('purge', { days: 1 }) }),
    );
    expect(ran).toEqual([]);
  });

  it('runs the entry of the role for its holder', async () => {
    const token = await issuer.token({ tenant: 'acme', roles: ['agent:admin'] });
    const { ran } = await server.observe(() =>
      server.send({ era, token, ...toolCall('purge', { days: 1 }) }),
    );
    expect(ran).toEqual(['purge']);
  });
});
