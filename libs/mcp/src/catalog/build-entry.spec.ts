import { z } from 'zod';
import { buildEntry, type BuiltEntry } from './build-entry.js';
import { Catalog, duplicateProblems } from './catalog.js';
import type { EntryDeclaration } from './entry-options.js';

const TOOL = { name: 'open', description: 'Opens.', scopes: ['crm:read'], risk: 'read' };

/** Builds what JavaScript may declare, past the types. */
function build(kind: EntryDeclaration['kind'], options: Record<string, unknown>) {
  return buildEntry({ kind, options } as never, 'Tools.open');
}

function built(kind: EntryDeclaration['kind'], options: Record<string, unknown>): BuiltEntry {
  const result = build(kind, options);
  if (!('entry' in result)) throw new Error(JSON.stringify(result));
  return result;
}

function codesOf(kind: EntryDeclaration['kind'], options: Record<string, unknown>): string[] {
  const result = build(kind, options);
  return 'entry' in result ? [] : result.map(({ code }) => code);
}

describe('buildEntry', () => {
  it('makes one form of every way to write a policy', () => {
    expect(built('tool', { ...TOOL, scopes: 'crm:read', role: 'a' }).entry.policy).toEqual({
      public: false,
      scopes: ['crm:read'],
      roles: ['a'],
      risk: 'read',
      tenancy: 'required',
      when: [],
    });
    expect(built('tool', { ...TOOL, role: ['a', 'b', 'a'] }).entry.policy.roles).toEqual([
      { anyOf: ['a', 'b'] },
    ]);
    expect(built('tool', { ...TOOL, tenancy: 'none' }).entry.policy.tenancy).toBe('none');
    expect(built('tool', { ...TOOL, scopes: undefined, public: true }).entry.policy).toMatchObject({
      public: true,
      tenancy: 'none',
    });
  });

  it('takes a resource and a prompt for reading unless they say otherwise, and a tool for nothing', () => {
    const { risk: _risk, ...rest } = TOOL;
    expect(built('resource', { ...rest, uri: 'docs://a' }).entry.policy.risk).toBe('read');
    expect(built('prompt', { ...rest, risk: 'external' }).entry.policy.risk).toBe('external');
    expect(codesOf('tool', rest)).toEqual(['entry_without_risk']);
  });

  it.each([
    [{ scopes: undefined }, ['entry_without_policy']],
    [{ scopes: [] }, ['entry_scopes']],
    [{ scopes: [], role: 'agent:admin' }, ['entry_scopes']],
    [{ scopes: { anyOf: [] } }, ['entry_scopes']],
    [{ role: [] }, ['entry_role']],
    [{ scopes: null }, ['entry_scopes']],
    [{ scopes: [''] }, ['entry_scopes']],
    [{ scopes: ['a b'] }, ['entry_scopes']],
    [{ scopes: ['a"b'] }, ['entry_scopes']],
    [{ scopes: ['a\\b'] }, ['entry_scopes']],
    [{ scopes: ['é'] }, ['entry_scopes']],
    [{ scopes: undefined, role: [] }, ['entry_role']],
    [{ scopes: undefined, role: [''] }, ['entry_role']],
    [{ scopes: undefined, public: 1 }, ['entry_without_policy']],
    [{ public: true }, ['public_entry_with_policy']],
    [{ public: true, scopes: [] }, ['entry_scopes', 'public_entry_with_policy']],
    [{ public: true, scopes: undefined, risk: 'destructive' }, ['public_entry_risk']],
    [{ risk: 'READ' }, ['entry_without_risk']],
    [{ risk: ['read'] }, ['entry_without_risk']],
    [{ tenancy: 'None' }, ['entry_tenancy']],
    [{ tenancy: false }, ['entry_tenancy']],
    [{ name: 'a'.repeat(129) }, ['entry_name']],
    [{ name: 'a b' }, ['entry_name']],
    [{ name: undefined }, ['entry_name']],
    [{ description: undefined }, ['entry_description']],
    [{ auditFields: [1] }, ['entry_audit_fields']],
    [{ input: z.string() }, ['entry_input']],
    [{ input: z.array(z.string()) }, ['entry_input']],
    [{ input: null }, ['entry_input']],
    [{ output: {} }, ['entry_output']],
    [
      { name: '', scopes: undefined, risk: 'x' },
      ['entry_name', 'entry_without_risk', 'entry_without_policy'],
    ],
  ])('finds everything that is wrong with %j', (options, codes) => {
    expect(codesOf('tool', { ...TOOL, ...options })).toEqual(codes);
  });

  it('refuses x-mcp-header, which would be a way around the message', () => {
    const input = z.object({ city: z.string().meta({ 'x-mcp-header': 'City' }) });
    expect(codesOf('tool', { ...TOOL, input })).toEqual(['entry_input']);
  });

  it('gives an entry that nobody can change any more', () => {
    const scopes = ['crm:read'];
    const { entry } = built('tool', { ...TOOL, scopes });
    scopes.push('crm:write');
    expect(entry.policy.scopes).toEqual(['crm:read']);
    for (const frozen of [entry, entry.policy, entry.policy.scopes, entry.policy.roles])
      expect(Object.isFrozen(frozen)).toBe(true);
  });

  it.each([
    ['name', { name: 'other' }],
    ['description', { description: 'Opens quietly.' }],
    ['title', { title: 'Open' }],
    ['scopes', { scopes: ['crm:write'] }],
    ['role', { role: 'a' }],
    ['risk', { risk: 'write' }],
    ['tenancy', { tenancy: 'none' }],
    ['input', { input: z.object({ a: z.string() }) }],
    ['output', { output: z.object({ a: z.string() }) }],
  ])('has another digest when its %s is another', (_what, change) => {
    const { digest } = built('tool', TOOL).entry;
    expect(built('tool', { ...TOOL, ...change }).entry.digest).not.toBe(digest);
    expect(built('tool', { ...TOOL }).entry.digest).toBe(digest);
  });

  it('has the same digest wherever it stands in the source', () => {
    const moved = buildEntry({ kind: 'tool', options: TOOL } as never, 'Elsewhere.open');
    expect('entry' in moved && moved.entry.digest).toBe(built('tool', TOOL).entry.digest);
  });
});

describe('Catalog', () => {
  const page = built('resource', { ...TOOL, name: 'page', uri: 'docs://{slug}' });
  const index = built('resource', { ...TOOL, name: 'index', uri: 'docs://index' });
  const catalog = new Catalog([
    built('tool', { ...TOOL, name: 'b' }),
    page,
    index,
    built('tool', { ...TOOL, name: 'a' }),
  ]);

  it('is in the order of names, whatever order it was found in', () => {
    expect(catalog.of('tools/list').map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it('finds a resource before a family that it would also be of', () => {
    expect(catalog.find('resources/read', 'docs://index')?.entry.name).toBe('index');
    expect(catalog.find('resources/read', 'docs://other')).toMatchObject({
      entry: { name: 'page' },
      variables: { slug: 'other' },
    });
  });

  it.each([
    ['tools/call', 'page'],
    ['tools/call', 'docs://index'],
    ['tools/call', 'A'],
    ['tools/call', ' a'],
    ['tools/call', ''],
    ['tools/call', '__proto__'],
    ['tools/call', 'constructor'],
    ['prompts/get', 'a'],
    ['resources/read', 'index'],
    ['resources/read', 'docs://{slug}'],
    ['resources/read', 'a'],
  ] as const)('finds nothing for %s of "%s"', (method, target) => {
    expect(catalog.find(method, target)).toBeUndefined();
  });

  it('lists a family apart from the resources', () => {
    expect(catalog.of('resources/list').map(({ name }) => name)).toEqual(['index']);
    expect(catalog.of('resources/templates/list').map(({ name }) => name)).toEqual(['page']);
    expect(catalog.listed(page.entry)).toMatchObject({ uriTemplate: 'docs://{slug}' });
  });

  it('tells a client of a prompt which arguments it takes', () => {
    const input = z.object({ id: z.string().describe('Which one.'), tone: z.string().optional() });
    const prompt = built('prompt', { ...TOOL, input });
    expect(new Catalog([prompt]).listed(prompt.entry)['arguments']).toEqual([
      { name: 'id', description: 'Which one.', required: true },
      { name: 'tone', required: false },
    ]);
  });

  it('cannot have two of one name, or two of one uri', () => {
    const twin = built('resource', { ...TOOL, name: 'twin', uri: 'docs://index' });
    const codes = duplicateProblems([index.entry, twin.entry, page.entry]).map(({ code }) => code);
    expect(codes).toEqual(['duplicate_name']);
    const other = built('tool', { ...TOOL, description: 'Another.' });
    expect(duplicateProblems([built('tool', TOOL).entry, other.entry])).toHaveLength(1);
    expect(duplicateProblems([built('tool', TOOL).entry, built('prompt', TOOL).entry])).toEqual([]);
  });
});
