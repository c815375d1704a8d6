import fc from 'fast-check';
import { frozenJson, frozenObject, isPlainObject, NotJsonError } from './frozen-json.js';

function isDeeplyFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(isDeeplyFrozen);
}

describe('frozenJson', () => {
  it('gives a deeply frozen copy and leaves the original alone', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'grapheme' }), (value) => {
        fc.pre(!JSON.stringify(value).includes('__proto__'));
        const before = JSON.stringify(value);
        const copy = frozenJson(value);
        expect(JSON.stringify(copy)).toBe(before);
        expect(isDeeplyFrozen(copy)).toBe(true);
        if (typeof value === 'object' && value !== null) {
          expect(copy).not.toBe(value);
          expect(Object.isFrozen(value)).toBe(false);
        }
      }),
    );
  });

  it('does not follow later changes of what it copied', () => {
    const value = { list: [1], inner: { a: 1 } };
    const copy = frozenJson(value);
    value.list.push(2);
    value.inner.a = 2;
    expect(copy).toEqual({ list: [1], inner: { a: 1 } });
  });

  it('leaves out members that are undefined, as JSON does', () => {
    expect(Object.keys(frozenObject({ a: undefined, b: null }))).toEqual(['b']);
  });

  it.each([
    ['a date', new Date(0)],
    ['a map', new Map([['a', 1]])],
    ['bytes', new Uint8Array(1)],
    ['an instance of a class', new (class Thing {})()],
    ['a function', () => 0],
    ['a bigint', 7n],
    ['NaN', NaN],
    ['Infinity', Infinity],
    ['a lone surrogate', 'a\ud800'],
    ['undefined', undefined],
  ])('refuses %s, wherever it stands', (_what, value) => {
    expect(() => frozenJson(value)).toThrow(NotJsonError);
    expect(() => frozenJson([value])).toThrow(NotJsonError);
    if (value !== undefined) expect(() => frozenJson({ deep: { value } })).toThrow(NotJsonError);
  });

  it('refuses a hole in a list, which JSON would fill', () => {
    // oxlint-disable-next-line unicorn/no-new-array
    expect(() => frozenJson(new Array(1))).toThrow(NotJsonError);
  });

  it('refuses the key __proto__, and a key with a lone surrogate', () => {
    expect(() => frozenJson(JSON.parse('{"a":{"__proto__":{"admin":true}}}'))).toThrow(NotJsonError);
    expect(() => frozenJson({ '\ud800': 1 })).toThrow(NotJsonError);
  });

  it('never quotes the value it refuses', () => {
    expect(() => frozenJson({ password: new Date(7) })).toThrow(
      'The value holds an object of a class, which JSON cannot carry.',
    );
  });
});

describe('isPlainObject', () => {
  it.each([
    [{}, true],
    [Object.create(null), true],
    [JSON.parse('{}'), true],
    [[], false],
    [null, false],
    ['{}', false],
    [new Date(), false],
    [Object.create({}), false],
  ])('%j: %j', (value, expected) => {
    expect(isPlainObject(value)).toBe(expected);
  });
});
