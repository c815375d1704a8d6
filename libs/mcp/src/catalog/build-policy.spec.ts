import { z } from 'zod';
import { McpPolicy, McpTool } from './entry.decorators.js';
import { buildEntry } from './build-entry.js';
import type { DeclaredClassPolicy } from './build-policy.js';
import type { EntryDeclaration } from './entry-options.js';

const TOOL = { name: 'open', description: 'Opens.', scopes: ['crm:read'], risk: 'read' };

class Own {
  permits(): boolean {
    return true;
  }
}

/** Builds what JavaScript may declare, past the types. */
function build(options: object, classes: object[] = [], kind: EntryDeclaration['kind'] = 'tool') {
  const declared = classes.map((given) => ({ source: 'Tools', options: given }) as DeclaredClassPolicy);
  return buildEntry({ kind, options: { ...TOOL, ...options } } as never, 'Tools.open', declared);
}

function policyOf(...args: Parameters<typeof build>) {
  const result = build(...args);
  if (!('entry' in result)) throw new Error(JSON.stringify(result));
  return result.entry.policy;
}

function codesOf(...args: Parameters<typeof build>): string[] {
  const result = build(...args);
  return 'entry' in result ? [] : result.map(({ code }) => code);
}

describe('The policy of an entry', () => {
  it.each<[string, object, object]>([
    ['any of several scopes', { scopes: { anyOf: ['a', 'b'] } }, { scopes: [{ anyOf: ['a', 'b'] }] }],
    [
      'all of several groups',
      { scopes: ['a', { anyOf: ['b', 'c'] }] },
      { scopes: ['a', { anyOf: ['b', 'c'] }] },
    ],
    ['any of one', { scopes: { anyOf: ['a'] } }, { scopes: ['a'] }],
    [
      'a tenant by an argument',
      { tenancy: { argument: 't' }, input: z.object({ t: z.string() }) },
      { tenancy: { argument: ['t'] } },
    ],
    ['a rule', { when: Own }, { when: ['Own'] }],
    ['rules', { when: [Own, Own] }, { when: ['Own'] }],
    ['a fresh sign-in', { freshness: { maxAge: 60 } }, { freshness: { maxAge: 60 } }],
    ['a strong sign-in', { freshness: { acr: ['phr'] } }, { freshness: { acr: ['phr'] } }],
  ])('can ask for %s', (_what, options, policy) => {
    expect(policyOf(options)).toMatchObject(policy);
  });

  it('is data that prints as JSON, and nobody can change it any more', () => {
    const policy = policyOf({ scopes: { anyOf: ['a', 'b'] }, when: Own, freshness: { acr: ['phr'] } });
    expect(JSON.parse(JSON.stringify(policy))).toEqual(policy);
    const parts = [
      policy,
      policy.scopes,
      policy.scopes[0],
      policy.when,
      policy.freshness,
      policy.freshness?.acr,
    ];
    for (const part of parts) expect(Object.isFrozen(part)).toBe(true);
  });

  it.each<[object, string]>([
    [{ scopes: { anyOf: [] } }, 'entry_scopes'],
    [{ scopes: { anyOf: 'a' } }, 'entry_scopes'],
    [{ scopes: { anyOf: ['a', 1] } }, 'entry_scopes'],
    [{ scopes: { anyOf: ['a b'] } }, 'entry_scopes'],
    [{ scopes: { anyof: ['a'] } }, 'entry_scopes'],
    [{ scopes: { anyOf: ['a'], allOf: ['b'] } }, 'entry_scopes'],
    [{ scopes: [['a']] }, 'entry_scopes'],
    [{ role: { anyOf: ['a'] } }, 'entry_role'],
    [{ tenancy: { argument: '' } }, 'entry_tenancy'],
    [{ tenancy: { argument: [] } }, 'entry_tenancy'],
    [{ tenancy: { argument: 'a..b' } }, 'entry_tenancy'],
    [{ tenancy: { argument: 1 } }, 'entry_tenancy'],
    [{ tenancy: { arguments: 'a' } }, 'entry_tenancy'],
    [{ tenancy: null }, 'entry_tenancy'],
    [{ when: 'Own' }, 'entry_when'],
    [{ when: [] }, 'entry_when'],
    [{ when: () => true }, 'entry_when'],
    [{ when: new Own() }, 'entry_when'],
    [{ when: null }, 'entry_when'],
    [{ when: (() => class {})() }, 'entry_when'],
    [{ freshness: {} }, 'entry_freshness'],
    [{ freshness: { maxAge: 0 } }, 'entry_freshness'],
    [{ freshness: { maxAge: 1.5 } }, 'entry_freshness'],
    [{ freshness: { maxAge: '60' } }, 'entry_freshness'],
    [{ freshness: { maxage: 60 } }, 'entry_freshness'],
    [{ freshness: { maxAge: 60, acr: [] } }, 'entry_freshness'],
    [{ freshness: { acr: ['a b'] } }, 'entry_freshness'],
    [{ freshness: 60 }, 'entry_freshness'],
    [{ freshness: null }, 'entry_freshness'],
    [{ public: true, scopes: undefined, when: Own }, 'public_entry_with_policy'],
    [{ public: true, scopes: undefined, freshness: { maxAge: 1 } }, 'public_entry_with_policy'],
    [{ scopes: undefined, when: Own }, 'entry_without_policy'],
  ])('does not boot with %j', (options, code) => {
    expect(codesOf(options)).toEqual([code]);
  });

  it.each<[string, object]>([
    ['anyOf', { scopes: { anyOf: ['crm:read', 'b'] } }],
    ['a rule', { when: Own }],
    ['a sign-in', { freshness: { maxAge: 60 } }],
  ])('has another digest with %s', (_what, options) => {
    const [plain, other] = [build({}), build(options)];
    expect('entry' in plain && 'entry' in other && plain.entry.digest !== other.entry.digest).toBe(true);
  });
});

const text = z.string();
const nested = z.object({
  customer: z.object({ tenant: text, age: z.number() }),
  lines: z.array(z.object({ t: text })),
});

describe('A tenant by an argument', () => {
  it.each<[string, string, object, EntryDeclaration['kind']]>([
    ['one that is there', 'customer.tenant', { input: nested }, 'tool'],
    ['one in a list', 'lines.t', { input: nested }, 'tool'],
    ['one that may be left out', 't', { input: z.object({ t: text.optional() }) }, 'tool'],
    ['one with a default', 't', { input: z.object({ t: text.default('acme') }) }, 'tool'],
    ['one of an enumeration', 't', { input: z.object({ t: z.enum(['acme', 'globex']) }) }, 'tool'],
    [
      'one of alternatives',
      'a.t',
      { input: z.object({ a: z.union([z.object({ t: text }), z.object({})]) }) },
      'tool',
    ],
    ['one among further members', 'x', { input: z.looseObject({}) }, 'tool'],
    [
      'one that code makes',
      'made',
      { input: z.object({ t: text }).transform(({ t }) => ({ made: t })) },
      'tool',
    ],
    ['a variable of a template', 'tenant', { uri: 'crm://{tenant}/all' }, 'resource'],
  ])('may be %s', (_what, argument, options, kind) => {
    expect(codesOf({ tenancy: { argument }, ...options }, [], kind)).toEqual([]);
  });

  it.each<[string, string, object, EntryDeclaration['kind']]>([
    ['one that is not there', 'tenant', { input: nested }, 'tool'],
    ['one deeper than there is', 'customer.tenant.id', { input: nested }, 'tool'],
    ['a number', 'customer.age', { input: nested }, 'tool'],
    ['an object', 'customer', { input: nested }, 'tool'],
    ['one of a strict object', 'x', { input: z.strictObject({ t: text }) }, 'tool'],
    ['any of a tool without arguments', 't', {}, 'tool'],
    ['another than the variables', 't', { uri: 'crm://{tenant}/all' }, 'resource'],
    ['any of a resource without variables', 't', { uri: 'crm://all' }, 'resource'],
  ])('cannot be %s, and that does not boot', (_what, argument, options, kind) => {
    expect(codesOf({ tenancy: { argument }, ...options }, [], kind)).toEqual(['entry_tenancy']);
  });
});

describe('The policy of a class', () => {
  it('adds to that of each method', () => {
    expect(policyOf({}, [{ role: 'admin', freshness: { maxAge: 60 } }, { scopes: ['b'] }])).toMatchObject({
      scopes: ['crm:read', 'b'],
      roles: ['admin'],
      freshness: { maxAge: 60 },
    });
  });

  it('changes the digest', () => {
    const [plain, other] = [build({}), build({}, [{ role: 'admin' }])];
    expect('entry' in plain && 'entry' in other && plain.entry.digest !== other.entry.digest).toBe(true);
  });

  it('is no policy of a method that has none', () => {
    expect(codesOf({ scopes: undefined }, [{ role: 'admin' }])).toEqual(['entry_without_policy']);
  });

  it.each<[object, string]>([
    [{}, 'class_policy'],
    [{ role: undefined }, 'class_policy'],
    [{ public: true }, 'class_policy'],
    [{ roles: 'admin' }, 'class_policy'],
    [{ role: 1 }, 'class_policy'],
    [{ scopes: 'a b' }, 'class_policy'],
    [{ risk: 'huge' }, 'class_policy'],
    [{ tenancy: 'None' }, 'class_policy'],
    [{ freshness: {} }, 'class_policy'],
    [{ when: 'Own' }, 'class_policy'],
  ])('does not boot with %j', (options, code) => {
    expect(codesOf({}, [options])).toEqual([code]);
  });

  it('does not boot around a public method', () => {
    expect(codesOf({ scopes: undefined, public: true }, [{ role: 'admin' }])).toEqual([
      'public_entry_with_policy',
    ]);
  });

  it('does not boot when no sign-in could meet it and the method', () => {
    expect(codesOf({ freshness: { acr: ['a'] } }, [{ freshness: { acr: ['b'] } }])).toEqual([
      'entry_freshness',
    ]);
  });

  it('does not boot when it binds an argument that a method does not take', () => {
    expect(codesOf({}, [{ tenancy: { argument: 'tenant' } }])).toEqual(['entry_tenancy']);
  });

  it('is written once', () => {
    const twice = () => {
      @McpPolicy({ role: 'a' })
      @McpPolicy({ role: 'b' })
      class Tools {
        @McpTool({ name: 'x', description: 'X.', role: 'c', risk: 'read' })
        x(): string {
          return 'x';
        }
      }
      return Tools;
    };
    expect(twice).toThrow('Tools has two @McpPolicy');
  });
});
