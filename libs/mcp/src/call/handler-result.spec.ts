import fc from 'fast-check';
import { z } from 'zod';
import type { Entry, EntryKind } from '../catalog/entry.js';
import type { StandardSchemaWithJSON } from '../catalog/standard-schema.js';
import { ResultMismatchError, sizeOf, toolFailure, toResult } from './handler-result.js';
import type { McpCall } from './mcp-call.js';

function entryOf(kind: EntryKind, more: Partial<Entry> = {}): Entry {
  const policy = {
    public: false,
    scopes: ['a'],
    roles: [],
    risk: 'read',
    tenancy: 'required',
    when: [],
  } as const;
  return { kind, name: 'x', policy, auditFields: [], source: 'Tools.x', digest: '', ...more };
}

function resultOf(kind: EntryKind, returned: unknown, more: Partial<Entry> = {}) {
  const entry = entryOf(kind, more);
  // Of the call, only what was asked for is read.
  return toResult({ target: 'docs://asked', entry } as McpCall, entry, returned);
}

const output: StandardSchemaWithJSON = z.object({ id: z.string(), count: z.number().default(0) });

describe('toResult of a tool', () => {
  it.each([
    ['text', { content: [{ type: 'text', text: 'text' }] }],
    ['', { content: [{ type: 'text', text: '' }] }],
    [undefined, { content: [] }],
    [null, { content: [] }],
    [() => 0, { content: [] }],
    [false, { content: [{ type: 'text', text: 'false' }] }],
    [[1], { content: [{ type: 'text', text: '[1]' }] }],
    [{ a: 1 }, { content: [{ type: 'text', text: '{"a":1}' }], structuredContent: { a: 1 } }],
    [{ content: [] }, { content: [] }],
    [
      { content: [], isError: true },
      { content: [], isError: true },
    ],
    [{ content: [], isError: 'yes', extra: 1 }, { content: [] }],
    [
      { content: 'text' },
      { content: [{ type: 'text', text: '{"content":"text"}' }], structuredContent: { content: 'text' } },
    ],
  ])('%j', async (returned, result) => {
    expect(await resultOf('tool', returned)).toEqual(result);
  });

  it('is what the declared output makes of it', async () => {
    const { structuredContent } = await resultOf('tool', { id: 'x', password: 'hunter2' }, { output });
    expect(structuredContent).toEqual({ id: 'x', count: 0 });
  });

  it.each([
    [{ id: 7 }],
    ['text'],
    [undefined],
    [null],
    [{ content: [] }],
    [{ content: [], structuredContent: { id: 7 } }],
  ])('is refused when the output is declared otherwise: %j', async (returned) => {
    await expect(resultOf('tool', returned, { output })).rejects.toThrow(ResultMismatchError);
  });

  it('may be a failure whatever output is declared', async () => {
    const failure = toolFailure('It did not work.');
    expect(await resultOf('tool', failure, { output })).toEqual(failure);
  });

  it.each([[{ big: 1n }], [circle()]])('is refused when JSON cannot carry it', async (returned) => {
    await expect(resultOf('tool', returned)).rejects.toThrow('JSON cannot carry it');
  });

  it('names the place of a mismatch, never the value', async () => {
    await expect(resultOf('tool', { id: { password: 'hunter2' } }, { output })).rejects.toThrow(
      /^The result of tool "x" \(Tools\.x\) was not sent: it does not match the declared output at id\.$/,
    );
  });

  it('is always JSON, and its size is that of its JSON', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.anything({ withDate: true, withMap: true, withNullPrototype: true }),
        async (returned) => {
          const result = await resultOf('tool', returned).catch((error: unknown) => {
            expect(error).toBeInstanceOf(ResultMismatchError);
            return undefined;
          });
          if (result === undefined) return;
          expect(JSON.parse(JSON.stringify(result))).toEqual(result);
          expect(sizeOf(result)).toBe(Buffer.byteLength(JSON.stringify(result)));
        },
      ),
    );
  });
});

describe('toResult of a resource', () => {
  const uri = 'docs://asked';

  it.each([
    ['text', [{ uri, mimeType: 'text/plain', text: 'text' }]],
    [{ a: 1 }, [{ uri, mimeType: 'application/json', text: '{"a":1}' }]],
    [null, [{ uri, mimeType: 'application/json', text: 'null' }]],
    [new Uint8Array([255]), [{ uri, mimeType: 'application/octet-stream', blob: '/w==' }]],
    [Buffer.from('hi'), [{ uri, mimeType: 'application/octet-stream', blob: 'aGk=' }]],
    [{ contents: [{ uri: 'docs://own', text: '' }] }, [{ uri: 'docs://own', text: '' }]],
  ])('%j', async (returned, contents) => {
    expect(await resultOf('resource', returned)).toEqual({ contents });
  });

  it('is of the media type that was declared', async () => {
    expect(await resultOf('resource', '# x', { mimeType: 'text/markdown' })).toEqual({
      contents: [{ uri, mimeType: 'text/markdown', text: '# x' }],
    });
  });

  it('must be something', async () => {
    await expect(resultOf('resource', undefined)).rejects.toThrow('returned nothing');
  });
});

describe('toResult of a prompt', () => {
  const message = { role: 'assistant', content: { type: 'text', text: 'a' } };

  it.each([
    ['text', { messages: [{ role: 'user', content: { type: 'text', text: 'text' } }] }],
    [[message], { messages: [message] }],
    [
      { messages: [message], description: 'own' },
      { messages: [message], description: 'own' },
    ],
  ])('%j', async (returned, result) => {
    expect(await resultOf('prompt', returned)).toEqual(result);
  });

  it('brings its description along', async () => {
    expect(await resultOf('prompt', 'a', { description: 'Asks.' })).toMatchObject({ description: 'Asks.' });
  });

  it.each([[undefined], [null], [7], [{}], [{ messages: 'a' }]])(
    'is refused when it is %j',
    async (returned) => {
      await expect(resultOf('prompt', returned)).rejects.toThrow('a prompt returns a string');
    },
  );
});

function circle(): unknown {
  const value: Record<string, unknown> = {};
  value['self'] = value;
  return value;
}
