import { Injectable, type CanActivate, type ExecutionContext, type OnModuleInit } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import {
  EntryRegistry,
  handlerContextOf,
  McpTool,
  MCP_CONTEXT,
  UnsafeWiringError,
  type PolicyRule,
  type RegisteredDeclaration,
} from 'sallyport';
import { z } from 'zod';
import { legacyClient, modernClient } from './support/clients.js';
import { Deferred } from './support/eventually.js';
import { loseTable } from './support/broken-audit.js';
import { TestIssuer } from './support/issuer.js';
import { comparable, toolCall, type Answer, type Json } from './support/messages.js';
import { Runs, TestServer, WAYS } from './support/server.js';
import { StdioClient } from './support/stdio.js';

@Injectable()
class Fixed {
  constructor(private readonly runs: Runs) {}

  @McpTool({ name: 'fixed', description: 'Is always there.', scopes: ['crm:read'], risk: 'read' })
  fixed() {
    this.runs.note('fixed');
    return 'fixed';
  }
}

/** Registered while the application boots, as a plugin would. */
@Injectable()
class Plugin implements OnModuleInit {
  constructor(private readonly entries: EntryRegistry) {}

  async onModuleInit(): Promise<void> {
    await this.entries.register(tool('at_boot'), () => 'at boot');
  }
}

@Injectable()
class Nobody implements PolicyRule {
  permits() {
    return false;
  }
}

/** Holds up a decision until the test says so. */
@Injectable()
class Ponders implements PolicyRule {
  asked = new Deferred();
  answer = new Deferred();

  async permits() {
    this.asked.resolve();
    await this.answer.promise;
    return true;
  }

  permitsListing() {
    return true;
  }
}

class NotOnSundays implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    if (context.getType<string>() !== MCP_CONTEXT) return true;
    return handlerContextOf(context).call.arguments?.['day'] !== 'sunday';
  }
}

function tool(name: string, more: Json = {}): RegisteredDeclaration {
  const options = { name, description: `Runs ${name}.`, scopes: ['crm:read'], risk: 'read', ...more };
  // What JavaScript could pass as well: some of these are refused.
  const declaration: unknown = { kind: 'tool', options };
  return declaration as RegisteredDeclaration;
}

const namesIn = (answer: Answer, member = 'tools') =>
  ((answer.result?.[member] ?? []) as { name: string }[]).map(({ name }) => name);

let issuer: TestIssuer;
let token: string;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  token = await issuer.token({ tenant: 'acme', scope: 'crm:read', roles: ['agent:read-only'] });
});

afterAll(() => issuer.stop());

describe.each(WAYS)('entries registered at run time, on %s, %s', (platform, era) => {
  let server: TestServer;
  let registry: EntryRegistry;

  beforeAll(async () => {
    server = await TestServer.start({
      issuer,
      platform,
      providers: [Fixed, Plugin, Nobody, Ponders, { provide: APP_GUARD, useClass: NotOnSundays }],
    });
    registry = server.app.get(EntryRegistry);
  });

  afterAll(() => server.close());

  const call = (name: string, args: Json = {}, as: string | undefined = token) =>
    server.observe(() => server.send({ era, token: as, ...toolCall(name, args) }));
  const list = async (as = token) => namesIn(await server.send({ era, token: as, method: 'tools/list' }));

  it('are there from the boot on when they were registered then', async () => {
    expect((await call('at_boot')).answer.result?.['content']).toEqual([{ type: 'text', text: 'at boot' }]);
    await expect(list()).resolves.toContain('at_boot');
  });

  it('are listed, validated, decided on, recorded and run like any other, until they are removed', async () => {
    const unknown = (await call('report')).answer;
    const registration = await registry.register(
      tool('report', { input: z.object({ day: z.string().default('monday') }), auditFields: ['day'] }),
      (args, { principal }) => {
        server.runs.note(`report ${String(args['day'])} ${principal?.subject}`);
        return { day: args['day'] };
      },
    );
    await expect(list()).resolves.toContain('report');
    const { answer, records, ran } = await call('report');
    expect(answer.result?.['structuredContent']).toEqual({ day: 'monday' });
    expect(ran).toEqual(['report monday alice']);
    expect(records).toMatchObject([
      { entry: 'report', decision: 'permit', outcome: 'completed', fields: { day: 'monday' } },
    ]);
    expect((await call('report', { day: 7 })).answer.result).toMatchObject({ isError: true });
    await registration.remove();
    await expect(list()).resolves.not.toContain('report');
    const gone = await call('report');
    expect(comparable(gone.answer)).toEqual(comparable(unknown));
    expect(gone.ran).toEqual([]);
    expect(gone.records).toMatchObject([{ reason: 'unknown_entry' }]);
  });

  it('change the version of the policy that decides, and removing them changes it back', async () => {
    const version = async () => (await call('fixed')).records[0]?.policyVersion;
    const before = await version();
    const registration = await registry.register(tool('versioned'), () => 'x');
    const during = await version();
    await registration.remove();
    expect(during).not.toBe(before);
    expect(await version()).toBe(before);
  });

  it('are hidden from and unknown to whoever lacks the role, and challenged for consent', async () => {
    const registration = await registry.register(tool('guarded', { role: 'agent:admin' }), () =>
      server.runs.note('guarded'),
    );
    const consentable = await registry.register(tool('consentable', { scopes: ['crm:write'] }), () =>
      server.runs.note('consentable'),
    );
    try {
      const names = await list();
      expect(names).not.toContain('guarded');
      expect(names).toContain('consentable');
      const hidden = await call('guarded');
      expect(comparable(hidden.answer)).toEqual(comparable((await call('never_was')).answer));
      expect(hidden.records).toMatchObject([{ reason: 'role' }]);
      const challenged = await call('consentable');
      expect(challenged.answer.error?.data).toMatchObject({ scopes: ['crm:write'] });
      expect((await call('consentable', {}, await issuer.token({}))).answer.error?.code).toBe(-32602);
      expect([...hidden.ran, ...challenged.ran]).toEqual([]);
    } finally {
      await registration.remove();
      await consentable.remove();
    }
  });

  it('are read as resources under their template, and got as prompts', async () => {
    const page = await registry.register(
      {
        kind: 'resource',
        options: { name: 'report', uri: 'reports://{id}', description: 'A report.', scopes: ['crm:read'] },
      },
      ({ id }) => `report ${String(id)}`,
    );
    const prompt = await registry.register(
      { kind: 'prompt', options: { name: 'sum_up', description: 'Sums up.', scopes: ['crm:read'] } },
      () => 'Sum it up.',
    );
    try {
      const read = await server.send({
        era,
        token,
        method: 'resources/read',
        params: { uri: 'reports://7' },
      });
      expect(read.result?.['contents']).toMatchObject([{ uri: 'reports://7', text: 'report 7' }]);
      const escaping = { uri: 'reports://..%2f7' };
      expect(
        (await server.send({ era, token, method: 'resources/read', params: escaping })).error?.code,
      ).toBe(-32602);
      const got = await server.send({ era, token, method: 'prompts/get', params: { name: 'sum_up' } });
      expect(got.result?.['messages']).toMatchObject([{ content: { text: 'Sum it up.' } }]);
      expect(namesIn(await server.send({ era, token, method: 'prompts/list' }), 'prompts')).toEqual([
        'sum_up',
      ]);
    } finally {
      await page.remove();
      await prompt.remove();
    }
  });

  it('pass the guards of the whole application', async () => {
    const registration = await registry.register(tool('open', { input: z.object({ day: z.string() }) }), () =>
      server.runs.note('open'),
    );
    try {
      const refused = await call('open', { day: 'sunday' });
      expect(refused.answer.result).toMatchObject({ isError: true });
      expect(refused.ran).toEqual([]);
      expect((await call('open', { day: 'monday' })).ran).toEqual(['open']);
    } finally {
      await registration.remove();
    }
  });

  it('finish what runs when they are removed, and take nothing new', async () => {
    const started = new Deferred();
    const release = new Deferred();
    const registration = await registry.register(tool('slow'), async () => {
      started.resolve();
      await release.promise;
      return 'done';
    });
    const running = call('slow');
    await started.promise;
    await registration.remove();
    expect((await call('slow')).answer.error?.code).toBe(-32602);
    release.resolve();
    expect((await running).answer.result).toMatchObject({ content: [{ text: 'done' }] });
    await registration.remove();
  });

  it('do not run when they are removed while their call is decided on', async () => {
    const ponders = server.app.get(Ponders);
    [ponders.asked, ponders.answer] = [new Deferred(), new Deferred()];
    const unknown = (await call('gone')).answer;
    const registration = await registry.register(tool('gone', { when: Ponders }), () =>
      server.runs.note('gone'),
    );
    const deciding = call('gone');
    await ponders.asked.promise;
    await registration.remove();
    ponders.answer.resolve();
    const { answer, ran, records } = await deciding;
    expect(comparable(answer)).toEqual(comparable(unknown));
    expect(ran).toEqual([]);
    expect(records.filter(({ entry }) => entry === 'gone')).toMatchObject([{ outcome: 'not_run' }]);
  });

  it('cannot make it a matter of names which of two serves a URI', async () => {
    const resource = (name: string, uri: string): RegisteredDeclaration => ({
      kind: 'resource',
      options: { name, uri, description: 'x', scopes: ['crm:read'] },
    });
    const first = await registry.register(resource('first', 'tie://{a}/ccc'), () => 'first');
    await expect(registry.register(resource('second', 'tie://ccc/{a}'), () => 'second')).rejects.toThrow(
      /neither is more particular.*ambiguous_template/,
    );
    const closer = await registry.register(resource('closer', 'tie://ccc/cc{a}'), () => 'closer');
    await first.remove();
    await closer.remove();
  });

  it.each([
    ['without a policy', tool('none', { scopes: undefined }), 'entry_without_policy'],
    ['without a risk', tool('none', { risk: undefined }), 'entry_without_risk'],
    [
      'that is public and writes',
      tool('none', { scopes: undefined, public: true, risk: 'write' }),
      'public_entry_risk',
    ],
    ['with an option that nobody reads', tool('none', { roles: ['agent:admin'] }), 'entry_option'],
    ['of a name that is taken', tool('fixed'), 'duplicate_name'],
    ['of a role that nobody configured', tool('none', { role: 'agent:king' }), 'unknown_role'],
    ['of another kind', { kind: 'door', options: {} } as never, 'registered_entry'],
    ['that is nothing', undefined as never, 'registered_entry'],
  ])('are refused %s, and nothing changes', async (_, declaration, code) => {
    const before = await list();
    const register = () => registry.register(declaration, () => server.runs.note('none'));
    await expect(register()).rejects.toThrow(UnsafeWiringError);
    await expect(register()).rejects.toThrow(`(${code})`);
    await expect(list()).resolves.toEqual(before);
    expect((await call('none')).ran).toEqual([]);
  });

  it('are refused with a rule that nobody provides, and decided by one that is provided', async () => {
    class Unprovided implements PolicyRule {
      permits() {
        return true;
      }
    }
    await expect(registry.register(tool('ruled', { when: Unprovided }), () => 'x')).rejects.toThrow(
      'rule_not_provided',
    );
    const registration = await registry.register(tool('ruled', { when: Nobody }), () =>
      server.runs.note('ruled'),
    );
    const { answer, ran } = await call('ruled');
    await registration.remove();
    expect(answer.error?.code).toBe(-32602);
    expect(ran).toEqual([]);
  });

  it('are refused without a handler', async () => {
    await expect(registry.register(tool('none'), undefined as never)).rejects.toThrow(UnsafeWiringError);
  });

  it('are on the record before they come and before they go', async () => {
    const { records } = await server.observe(async () => {
      const registration = await registry.register(tool('recorded'), () => 'x');
      await registration.remove();
      await registration.remove();
    });
    const change = { kind: 'administration', action: 'policy.changed', target: 'tool recorded' };
    expect(records).toMatchObject([
      { ...change, details: { change: 'registered' } },
      { ...change, details: { change: 'removed' } },
    ]);
  });

  it('neither come nor go while that cannot be recorded', async () => {
    const registration = await registry.register(tool('stays'), () => 'x');
    const repair = await loseTable(server);
    await expect(registry.register(tool('comes'), () => 'x')).rejects.toThrow('audit record');
    await expect(registration.remove()).rejects.toThrow('audit record');
    await repair();
    await expect(list()).resolves.toEqual(expect.arrayContaining(['stays']));
    await expect(list()).resolves.not.toContain('comes');
    await registration.remove();
    await expect(list()).resolves.not.toContain('stays');
  });

  it('of one name that come at once are one', async () => {
    const both = await Promise.allSettled([
      registry.register(tool('twin'), () => 'first'),
      registry.register(tool('twin'), () => 'second'),
    ]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    const [first] = both;
    if (first?.status === 'fulfilled') await first.value.remove();
    await expect(list()).resolves.not.toContain('twin');
  });
});

it('are seen by the official clients of both eras at once', async () => {
  const server = await TestServer.start({ issuer, providers: [Fixed] });
  try {
    const modern = await modernClient(server.url, token);
    const legacy = await legacyClient(server.url, token);
    const registration = await server.app.get(EntryRegistry).register(tool('new'), () => 'new');
    for (const client of [modern, legacy]) {
      expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['fixed', 'new']);
      expect((await client.callTool({ name: 'new' })).content).toMatchObject([{ text: 'new' }]);
    }
    await registration.remove();
    await expect(modern.callTool({ name: 'new' })).rejects.toThrow('no such tool');
    await modern.close();
    await legacy.close();
  } finally {
    await server.close();
  }
});

it('are called over stdio', async () => {
  const client = await StdioClient.start({ issuer, token, providers: [Fixed] });
  try {
    const registration = await client.context.get(EntryRegistry).register(tool('new'), () => 'new');
    expect((await client.request(toolCall('new'))).result).toMatchObject({ content: [{ text: 'new' }] });
    await registration.remove();
    expect((await client.request(toolCall('new'))).error?.code).toBe(-32602);
  } finally {
    await client.close();
  }
});
