import fc from 'fast-check';
import { Catalog } from '../catalog/catalog.js';
import type { CallContext } from './mcp-call.js';
import { buildEntry, type BuiltEntry } from '../catalog/build-entry.js';
import type { EntryDeclaration } from '../catalog/entry-options.js';
import { MOST_RESOURCES, readOperation, SERVED_METHODS } from './operation.js';

const CONTEXT: CallContext = {
  id: '01a1fdd1-c67d-7f0f-b572-823b45c6596d',
  receivedAt: new Date(),
  server: { name: 'a-test', version: '1.0.0', resource: 'http://127.0.0.1/mcp' },
  via: 'http',
  protocol: '2026-07-28',
  principal: undefined,
  address: undefined,
  traceparent: undefined,
};

const ACCESS = { description: 'x', scopes: ['a'] } as const;

function built(declaration: EntryDeclaration): BuiltEntry {
  const entry = buildEntry(declaration, 'Spec');
  if ('entry' in entry) return entry;
  throw new Error(entry.map(({ message }) => message).join(' '));
}

function resourcesOf(resourceSubscriptions: unknown): string[] {
  const message = { method: 'subscriptions/listen', params: { notifications: { resourceSubscriptions } } };
  const operation = readOperation(new Catalog([]), message, CONTEXT, { stream: 'listen' });
  if (operation.kind !== 'listen') throw new Error(`It was read as ${operation.kind}.`);
  return operation.filter.resources.map(({ call }) => call.target);
}

describe('The resources of a subscriptions/listen', () => {
  it('are each looked up once', () => {
    expect(resourcesOf(['a://1', 'a://2', 'a://1'])).toEqual(['a://1', 'a://2']);
  });

  it('are looked up no further than to one too many: the caller is not known to be anybody yet', () => {
    const uris = Array.from({ length: 40_000 }, (_, index) => `a://${index}`);
    expect(resourcesOf(uris)).toHaveLength(MOST_RESOURCES + 1);
  });

  it.each([
    ['no list', 'a://1'],
    ['no texts', [1, null, {}]],
    ['nothing', undefined],
  ])('are none when they are %s', (_, given) => {
    expect(resourcesOf(given)).toEqual([]);
  });
});

describe('Reading an operation', () => {
  const everything = new Catalog([
    built({ kind: 'resource', options: { name: 'page', uri: 'docs://{slug}/{part}', ...ACCESS } }),
    built({ kind: 'resource', options: { name: 'hidden', uri: 'hid://{id}', ...ACCESS } }),
    built({ kind: 'tool', options: { name: 'tool', risk: 'read', ...ACCESS } }),
    built({ kind: 'prompt', options: { name: 'prompt', ...ACCESS } }),
  ]);
  /** Any UTF-16, halves of surrogate pairs included. */
  const text = fc.string({
    unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
  });
  const uri = fc.oneof(
    text,
    fc.tuple(fc.constantFrom('docs://', 'hid://', 'docs://a/'), text).map(([start, rest]) => start + rest),
  );
  const params = fc.oneof(
    fc.record({ uri, name: text }, { requiredKeys: [] }),
    fc.record({ notifications: fc.record({ resourceSubscriptions: fc.array(uri) }) }),
    fc.record({ ref: fc.record({ type: fc.constantFrom('ref/resource', 'ref/prompt'), uri, name: text }) }),
    fc.anything(),
  );

  it('never throws, whatever is asked for: what cannot be read is asked of nobody else', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(SERVED_METHODS), 'nonsense'), params, (method, given) => {
        for (const stream of ['none', 'listen', 'session'] as const)
          readOperation(everything, { method, params: given }, CONTEXT, { stream });
      }),
      { numRuns: 2000 },
    );
  });
});
