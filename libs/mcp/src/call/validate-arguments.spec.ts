import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import { z } from 'zod';
import type { Entry } from '../catalog/entry.js';
import type { StandardSchemaWithJSON } from '../catalog/standard-schema.js';
import { validateArguments } from './validate-arguments.js';

function entry(input?: unknown, kind: Entry['kind'] = 'tool'): Entry {
  const policy = {
    public: false,
    scopes: ['a'],
    roles: [],
    risk: 'read',
    tenancy: 'required',
    when: [],
  } as const;
  const described = { kind, name: 'open', policy, auditFields: [], source: 'Tools.open', digest: '' };
  return input === undefined ? described : { ...described, input: input as StandardSchemaWithJSON };
}

beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(['error']));

describe('validateArguments', () => {
  it('gives what the schema makes of them, frozen to the bottom', async () => {
    const input = z.object({
      a: z.string().trim(),
      list: z.array(z.object({ b: z.number() })).default([{ b: 1 }]),
    });
    const result = await validateArguments(entry(input), { a: ' x ', unknown: true });
    expect(result).toEqual({ valid: true, value: { a: 'x', list: [{ b: 1 }] } });
    if (!result.valid) throw new Error('It is valid.');
    const [item] = result.value['list'] as object[];
    expect([result.value, result.value['list'], item].every(Object.isFrozen)).toBe(true);
  });

  it('says where and what, never what was sent', async () => {
    const input = z.object({ user: z.object({ age: z.number() }), password: z.string().min(100) });
    const result = await validateArguments(entry(input), { user: { age: 'hunter2' }, password: 'hunter2' });
    expect(result).toMatchObject({
      valid: false,
      issues: [expect.stringMatching(/^user\.age: /), expect.stringMatching(/^password: /)],
    });
    expect(JSON.stringify(result)).not.toContain('hunter2');
  });

  it('says no more than a model can use', async () => {
    const input = z.object({ all: z.array(z.number()) });
    const result = await validateArguments(entry(input), { all: Array(100).fill('x') });
    expect(result.valid ? [] : result.issues).toHaveLength(20);
  });

  it.each([[[]], ['x'], [7], [true], [new Date()]])('wants an object, not %j', async (raw) => {
    expect((await validateArguments(entry(z.object({})), raw)).valid).toBe(false);
    expect((await validateArguments(entry(z.unknown()), raw)).valid).toBe(false);
    expect((await validateArguments(entry(), raw)).valid).toBe(false);
  });

  it.each([undefined, null])('takes %j for no arguments', async (raw) => {
    expect(await validateArguments(entry(), raw)).toEqual({ valid: true, value: {} });
    expect(await validateArguments(entry(z.object({ a: z.number().default(1) })), raw)).toEqual({
      valid: true,
      value: { a: 1 },
    });
  });

  it('takes none for an entry without a schema', async () => {
    expect(await validateArguments(entry(), {})).toEqual({ valid: true, value: {} });
    expect((await validateArguments(entry(), { a: 1 })).valid).toBe(false);
    expect((await validateArguments(entry(undefined, 'prompt'), { a: 1 })).valid).toBe(false);
    expect(await validateArguments(entry(undefined, 'resource'), { id: '7' })).toEqual({
      valid: true,
      value: { id: '7' },
    });
  });

  it('has nothing to check them against when there is no entry', async () => {
    expect((await validateArguments(undefined, {})).valid).toBe(false);
  });

  it.each<[string, unknown]>([
    ['that makes a date', z.object({}).transform(() => ({ at: new Date() }))],
    ['that makes a list', z.object({}).transform(() => [])],
    ['that makes nothing', z.object({}).transform(() => undefined)],
    ['that makes a bigint', z.object({}).transform(() => ({ big: 1n }))],
    [
      'that throws',
      z.object({}).transform(() => {
        throw new Error('SQL failed');
      }),
    ],
    ['that rejects', z.object({}).refine(async () => Promise.reject(new Error('SQL failed')))],
    ['that is broken', { '~standard': { validate: () => undefined } }],
  ])('does not count as valid under a schema %s', async (_what, input) => {
    const result = await validateArguments(entry(input), {});
    expect(result.valid).toBe(false);
    expect(JSON.stringify(result)).not.toContain('SQL');
  });

  it('asks a check that takes its time once', async () => {
    let asked = 0;
    const input = z.object({}).refine(async () => {
      asked += 1;
      return true;
    });
    expect((await validateArguments(entry(input), {})).valid).toBe(true);
    expect(asked).toBe(1);
  });

  it('takes schemas of others than Zod', async () => {
    const input = { '~standard': { validate: async (value: unknown) => ({ value: { wrapped: value } }) } };
    expect(await validateArguments(entry(input), { a: 1 })).toEqual({
      valid: true,
      value: { wrapped: { a: 1 } },
    });
    const issue = { message: 'wrong', path: [{ key: 'a' }, 0] };
    const strict = { '~standard': { validate: () => ({ issues: [issue] }) } };
    expect(await validateArguments(entry(strict), {})).toEqual({ valid: false, issues: ['a.0: wrong'] });
  });

  it('refuses what JSON cannot carry, such as a number too large for it', async () => {
    const parsed: unknown = JSON.parse('{"a":1e400}');
    expect((await validateArguments(entry(z.looseObject({})), parsed)).valid).toBe(false);
    expect((await validateArguments(entry(z.looseObject({})), { a: '\ud800' })).valid).toBe(false);
  });

  it('never gives a method the key __proto__', async () => {
    const raw: unknown = JSON.parse('{"__proto__":{"admin":true}}');
    const passing = { '~standard': { validate: (value: unknown) => ({ value }) } };
    expect((await validateArguments(entry(passing), raw)).valid).toBe(false);
    expect(await validateArguments(entry(z.looseObject({})), raw)).toEqual({ valid: true, value: {} });
  });

  it('never lets a later change of the message through', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ stringUnit: 'grapheme' })),
        async (raw) => {
          fc.pre(!JSON.stringify(raw).includes('__proto__'));
          const result = await validateArguments(entry(z.looseObject({})), raw);
          if (!result.valid) return;
          const before = JSON.stringify(result.value);
          for (const key of Object.keys(raw)) raw[key] = 'changed';
          expect(JSON.stringify(result.value)).toBe(before);
        },
      ),
    );
  });
});
