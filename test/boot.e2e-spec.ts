import { Controller, Get, Injectable, Scope, type Provider } from '@nestjs/common';
import {
  McpPrompt,
  McpResource,
  McpTool,
  oidc,
  type McpResourceOptions,
  type McpToolOptions,
  type SallyportOptions,
} from 'sallyport';
import { z } from 'zod';
import { TestIssuer } from './support/issuer.js';
import { RESOURCE, send, toolCall } from './support/messages.js';
import { Runs, TestServer, type TestServerOptions } from './support/server.js';

const SAFE = { name: 'open', description: 'Opens.', scopes: ['crm:read'], risk: 'read' } as const;

/** A class with one tool, declared with anything: JavaScript and `as` get past the types. */
function toolWith(options: Record<string, unknown>) {
  @Injectable()
  class Tools {
    @McpTool({ ...SAFE, ...options } as McpToolOptions)
    open() {
      return 'opened';
    }
  }
  return Tools;
}

function resourceWith(options: Record<string, unknown>) {
  @Injectable()
  class Resources {
    @McpResource({ ...SAFE, uri: 'docs://page', ...options } as McpResourceOptions)
    page() {
      return 'text';
    }
  }
  return Resources;
}

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await TestIssuer.start();
});
afterAll(async () => issuer.stop());

/** Boots, and gives the problems that stopped it. */
async function problemsOf(options: TestServerOptions): Promise<{ code: string; message: string }[]> {
  try {
    const server = await TestServer.start({ issuer, ...options });
    await server.close();
  } catch (error) {
    if (error instanceof Error && 'problems' in error) return error.problems as never;
    throw error;
  }
  return [];
}

it('boots when nothing is wrong', async () => {
  expect(await problemsOf({ providers: [toolWith({}), resourceWith({})] })).toEqual([]);
});

describe('A tool stops the boot', () => {
  it.each<[string, Record<string, unknown>, string, RegExp]>([
    [
      'without a policy',
      { scopes: undefined },
      'entry_without_policy',
      /write scopes: \['…'\], role: '…', or public: true/,
    ],
    ['with an empty list of scopes', { scopes: [], role: 'agent:admin' }, 'entry_scopes', /leave scopes out/],
    ['with an empty list of roles', { role: [] }, 'entry_role', /leave role out/],
    [
      'with public: false alone',
      { scopes: undefined, public: false },
      'entry_without_policy',
      /has no policy/,
    ],
    ['with public: "yes"', { scopes: undefined, public: 'yes' }, 'entry_without_policy', /has no policy/],
    ['without a risk', { risk: undefined }, 'entry_without_risk', /write risk: 'read' \| 'write'/],
    ['with a risk nobody knows', { risk: 'harmless' }, 'entry_without_risk', /write risk/],
    [
      'that is public and writes',
      { scopes: undefined, public: true, risk: 'write' },
      'public_entry_risk',
      /only risk: 'read'/,
    ],
    [
      'that is public and asks for a scope',
      { public: true },
      'public_entry_with_policy',
      /leave out one of the two/,
    ],
    [
      'that is public and asks for a role',
      { scopes: undefined, role: 'agent:admin', public: true },
      'public_entry_with_policy',
      /leave out one/,
    ],
    [
      'with a scope of two words',
      { scopes: ['crm:read crm:write'] },
      'entry_scopes',
      /write scopes: \['crm:read'\]/,
    ],
    ['with a scope that is no string', { scopes: [7] }, 'entry_scopes', /scope tokens/],
    [
      'with a role that is no string',
      { role: { admin: true } },
      'entry_role',
      /write role: 'agent:read-only'/,
    ],
    [
      'with a role that is not configured',
      { role: 'agent:owner' },
      'unknown_role',
      /add it to roles: \{ 'agent:owner': \[\] \}/,
    ],
    [
      'with a tenancy nobody knows',
      { tenancy: 'optional' },
      'entry_tenancy',
      /write tenancy: 'required' or 'none'/,
    ],
    ['without a name', { name: '' }, 'entry_name', /1 to 128 characters/],
    ['with a name no client can call', { name: 'open record' }, 'entry_name', /A-Z a-z 0-9/],
    ['without a description', { description: ' ' }, 'entry_description', /needs a description/],
    ['with a schema of a string', { input: z.string() }, 'entry_input', /wrap it in z\.object/],
    ['with a schema that is none', { input: { type: 'object' } }, 'entry_input', /use z\.object/],
    [
      'with a schema without a JSON form',
      { input: z.object({ at: z.date() }) },
      'entry_input',
      /cannot be served/,
    ],
    [
      'with an output without a JSON form',
      { output: z.object({ at: z.date() }) },
      'entry_output',
      /cannot be served/,
    ],
    [
      'with auditFields that are no names',
      { auditFields: [true] },
      'entry_audit_fields',
      /list of argument names/,
    ],
  ])('%s', async (_what, options, code, sentence) => {
    expect(await problemsOf({ providers: [toolWith(options)] })).toEqual([
      { code, message: expect.stringMatching(sentence) },
    ]);
  });
});

describe('A resource stops the boot', () => {
  it.each<[string, Record<string, unknown>, RegExp]>([
    ['without a uri', { uri: undefined }, /has no uri/],
    ['with a uri without a scheme', { uri: 'page' }, /without a scheme/],
    ['with a template that reaches across segments', { uri: 'docs://{+path}' }, /level 1/],
    ['with a template of two variables of one name', { uri: 'docs://{a}/{a}' }, /twice/],
  ])('%s', async (_what, options, sentence) => {
    expect(await problemsOf({ providers: [resourceWith(options)] })).toEqual([
      { code: 'resource_uri', message: expect.stringMatching(sentence) },
    ]);
  });

  it('with the uri of another', async () => {
    const providers = [resourceWith({ name: 'a' }), resourceWith({ name: 'b' })];
    expect(await problemsOf({ providers })).toMatchObject([{ code: 'duplicate_name' }]);
  });
});

describe('An entry stops the boot', () => {
  it('with the name of another, naming both', async () => {
    @Injectable()
    class Others {
      @McpTool(SAFE)
      openToo() {
        return '';
      }
    }
    const [problem, ...others] = await problemsOf({ providers: [toolWith({}), Others] });
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ code: 'duplicate_name', message: expect.stringContaining('Tools.open') });
    expect(problem?.message).toContain('Others.openToo');
  });

  it('unless the other is of another kind', async () => {
    @Injectable()
    class Prompts {
      @McpPrompt({ name: 'open', description: 'Opens.', scopes: ['crm:read'] })
      open() {
        return '';
      }
    }
    expect(await problemsOf({ providers: [toolWith({}), Prompts] })).toEqual([]);
  });

  it('on a controller', async () => {
    @Controller('orders')
    class Orders {
      @Get()
      @McpTool(SAFE)
      list() {
        return [];
      }
    }
    expect(await problemsOf({ controllers: [Orders] })).toEqual([
      { code: 'entry_on_controller', message: expect.stringContaining('move it to a provider') },
    ]);
  });

  const Tools = toolWith({});
  it.each<[string, Provider, string]>([
    ['on what a factory returns', { provide: 'TOOLS', useFactory: () => new Tools() }, 'entry_on_factory'],
    ['on a value', { provide: 'TOOLS', useValue: new Tools() }, 'entry_on_custom_provider'],
    [
      'on a value in place of its class',
      { provide: Tools, useValue: new Tools() },
      'entry_on_custom_provider',
    ],
    [
      'on what a slow factory returns',
      { provide: 'TOOLS', useFactory: async () => new Tools() },
      'entry_on_factory',
    ],
    ['on a class behind another token', { provide: 'TOOLS', useClass: Tools }, 'entry_on_custom_provider'],
  ])('%s, whose guards Nest may leave out', async (_what, provider, code) => {
    expect(await problemsOf({ providers: [provider] })).toEqual([
      { code, message: expect.stringMatching(/provide the class itself|list the class itself/) },
    ]);
  });

  it('with all of its problems at once, and those of the others', async () => {
    const providers = [
      toolWith({ risk: 'x', scopes: undefined, description: '' }),
      resourceWith({ uri: '' }),
    ];
    expect((await problemsOf({ providers })).map(({ code }) => code)).toEqual([
      'entry_without_risk',
      'entry_without_policy',
      'entry_description',
      'resource_uri',
    ]);
  });
});

describe('A declaration is refused where it stands', () => {
  const decorate = McpTool(SAFE);

  it('on a property', () => {
    expect(() => decorate({}, 'name', { value: 'x' })).toThrow('belongs on a method');
  });

  it('on a static method, which no provider would have', () => {
    class Tools {
      static open() {
        return '';
      }
    }
    const descriptor = { value: () => Tools.open() };
    expect(() => decorate(Tools, 'open', descriptor)).toThrow('open is static');
  });

  it('twice on one method', () => {
    const descriptor = { value: () => '' };
    decorate({}, 'open', descriptor);
    expect(() => decorate({}, 'open', descriptor)).toThrow('declared twice');
  });
});

describe('An option stops the boot', () => {
  const cases: [string, Partial<SallyportOptions> | (() => Partial<SallyportOptions>), string, RegExp][] = [
    ['without an identity source', { identity: [] }, 'no_source', /write identity: \[oidc\(/],
    [
      'without a list of identity sources',
      { identity: undefined as never },
      'no_source',
      /No identity source/,
    ],
    ['without a resource', { resource: '' }, 'resource_missing', /write resource: 'https:/],
    [
      'with a resource that is no URL',
      { resource: 'mcp' },
      'resource_invalid',
      /write the URL of the endpoint/,
    ],
    [
      'with a resource over plain http',
      { resource: 'http://mcp.acme.example/mcp' },
      'resource_insecure',
      /write 'https:\/\/mcp\.acme\.example\/mcp'/,
    ],
    [
      'with a resource that ends in a slash',
      { resource: `${RESOURCE}/` },
      'endpoint_path',
      /write resource: '…\/mcp'/,
    ],
    [
      'with a provider over plain http',
      { identity: [oidc({ issuer: 'http://id.acme.example' })] },
      'issuer_insecure',
      /write 'https:\/\/id\.acme\.example'/,
    ],
    ['with a provider that is no URL', { identity: [oidc({ issuer: 'acme' })] }, 'issuer_invalid', /issuer/],
    [
      'with two sources for one issuer',
      () => ({
        identity: [oidc({ issuer: issuer.url, name: 'a' }), oidc({ issuer: issuer.url, name: 'b' })],
      }),
      'duplicate_issuer',
      /remove one/,
    ],
    ['without a server name', { server: { name: '', version: '1' } }, 'server', /write server:/],
    [
      'with an unknown anonymous',
      { anonymous: 'everyone' as never },
      'anonymous',
      /'public-entries' or 'refuse'/,
    ],
    ['with an unknown listing', { listing: 'all' as never }, 'listing', /'consentable' or 'granted'/],
    ['with roles in a circle', { roles: { a: ['b'], b: ['a'] } }, 'cyclic_roles', /leave out one/],
    ['with scopes in a circle', { scopes: { a: ['b'], b: ['a'] } }, 'cyclic_scopes', /leave out one/],
    ['with a limit of nothing', { limits: { maxBodyBytes: 0 } }, 'limits', /limits\.maxBodyBytes/],
    ['with an endless limit', { limits: { maxDepth: Infinity } }, 'limits', /limits\.maxDepth/],
    [
      'with an origin with a path',
      { allowedOrigins: ['https://app.example/x'] },
      'allowed_origins',
      /without a path/,
    ],
    ['with every origin', { allowedOrigins: ['*'] }, 'allowed_origins', /no origin/],
    ['with a host with a port', { allowedHosts: ['mcp.example:80'] }, 'allowed_hosts', /without a port/],
    [
      'with offline_access at sign-in',
      { signInScopes: ['offline_access'] },
      'sign_in_scopes',
      /leave it out/,
    ],
    ['with an endless shutdown', { drainSeconds: Infinity }, 'drain_seconds', /drainSeconds: 10/],
  ];

  it.each(cases)('%s', async (_what, given, code, sentence) => {
    const sallyport = typeof given === 'function' ? given() : given;
    const providers = [toolWith({})];
    expect(await problemsOf({ providers, sallyport })).toEqual([
      { code, message: expect.stringMatching(sentence) },
    ]);
  });

  it('in production with a provider on this machine', async () => {
    const before = process.env['NODE_ENV'];
    process.env['NODE_ENV'] = 'production';
    try {
      expect(await problemsOf({ providers: [toolWith({})] })).toMatchObject([{ code: 'issuer_insecure' }]);
    } finally {
      process.env['NODE_ENV'] = before;
    }
  });
});

it('takes entries of request scope as they are', async () => {
  @Injectable({ scope: Scope.REQUEST })
  class Tools {
    constructor(private readonly runs: Runs) {}

    @McpTool(SAFE)
    open() {
      this.runs.note('open');
      return 'opened';
    }
  }
  const server = await TestServer.start({ issuer, providers: [Tools] });
  const token = await issuer.token({ tenant: 'acme', scope: 'crm:read' });
  const { answer, ran } = await server.observe(() => server.send({ token, ...toolCall('open') }));
  expect({ status: answer.status, ran }).toEqual({ status: 200, ran: ['open'] });
  await server.close();
});

it.each([
  RESOURCE,
  'http://127.0.0.1',
  'http://127.0.0.1/',
  'http://127.0.0.1/a/b',
  'http://127.0.0.1/mcp?x=1',
])('serves the resource %s at its path', async (resource) => {
  const token = await issuer.token({ tenant: 'acme', scope: 'crm:read', claims: { aud: resource } });
  const server = await TestServer.start({ issuer, providers: [toolWith({})], sallyport: { resource } });
  const { pathname } = new URL(resource);
  const answer = await send(`${server.origin}${pathname}`, { token, ...toolCall('open') });
  expect(answer.status).toBe(200);
  await server.close();
});
