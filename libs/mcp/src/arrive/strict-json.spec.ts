import fc from 'fast-check';
import { parseStrictJson, StrictJsonError, type StrictJsonReason } from './strict-json.js';

const limits = { maxDepth: 8, maxElements: 50 };

function reasonOf(text: string): StrictJsonReason | undefined {
  try {
    parseStrictJson(text, limits);
  } catch (error) {
    if (error instanceof StrictJsonError) return error.reason;
    throw error;
  }
  return undefined;
}

describe('parseStrictJson', () => {
  it.each<[string, StrictJsonReason]>([
    ['{"a":1,"a":2}', 'duplicate_key'],
    ['{"a":1,"\\u0061":2}', 'duplicate_key'],
    ['{"x":{"a":1,"b":{},"a":2}}', 'duplicate_key'],
    ['{"__proto__":{"admin":true}}', 'prototype_key'],
    ['{"\\u005f_proto__":1}', 'prototype_key'],
    [`${'['.repeat(9)}${']'.repeat(9)}`, 'depth'],
    [`[${'1,'.repeat(60)}1]`, 'elements'],
    [`{${Array.from({ length: 60 }, (_, i) => `"k${i}":1`).join(',')}}`, 'elements'],
    ['["\\ud800"]', 'lone_surrogate'],
    ['["\\uDfff"]', 'lone_surrogate'],
    ['["\\ude00\\ud83d"]', 'lone_surrogate'],
    ['{"\\ud800":1}', 'lone_surrogate'],
    ['', 'syntax'],
    ['{', 'syntax'],
    ['"open', 'syntax'],
    ['["a":1]', 'syntax'],
    ['{"a":1}}', 'syntax'],
    ['{"a":NaN}', 'syntax'],
    ["{'a':1}", 'syntax'],
  ])('refuses %j as %s', (text, reason) => {
    expect(reasonOf(text)).toBe(reason);
  });

  it('takes the same key in sibling objects, and keys as string values', () => {
    const text = '[{"a":"a"},{"a":"{\\"a\\":1,"},["a","a"]]';
    expect(parseStrictJson(text, limits)).toEqual(JSON.parse(text));
  });

  it('takes whole surrogate pairs, and what only looks like half of one', () => {
    const text = String.raw`["\ud83d\ude00","\\ud800","\u00d8"]`;
    expect(parseStrictJson(text, limits)).toEqual(['😀', String.raw`\ud800`, 'Ø']);
  });

  it('gives what JSON.parse gives for every value within the limits', () => {
    const roomy = { maxDepth: 1000, maxElements: 100_000 };
    fc.assert(
      fc.property(fc.json(), (text) => {
        fc.pre(!text.includes('__proto__'));
        expect(parseStrictJson(text, roomy)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('never takes what JSON.parse refuses, and throws nothing but its own error', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]",:\\a1 \n') }), (text) => {
        const reason = reasonOf(text);
        if (reason === undefined) expect(() => JSON.parse(text) as unknown).not.toThrow();
      }),
    );
  });
});
