import fc from 'fast-check';
import { canonicalJson, TlogError } from './index.js';

/** RFC 8785 appendix B: bits of the number, and its form. */
it.each([
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
])('writes the number %s as %s', (bits, form) => {
  expect(canonicalJson(Buffer.from(bits, 'hex').readDoubleBE())).toBe(form);
});

/** RFC 8785 §3.2.2 and §3.2.3, and the test data of its authors (github.com/cyberphone/json-canonicalization). */
it.each([
  [
    'literals, numbers and escapes',
    String.raw`{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}`,
    String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  ],
  [
    'keys by UTF-16 code units',
    String.raw`{"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"}`,
    '{"\\r":"Carriage Return","1":"One","\u0080":"Control","ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign","😀":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
  ],
  ['arrays', '[56, {"d": true, "10": null, "1": [ ]}]', '[56,{"1":[],"10":null,"d":true}]'],
  [
    'no locale',
    '{"peach": "a", "péché": "b", "pêche": "c", "sin": "d"}',
    '{"peach":"a","péché":"b","pêche":"c","sin":"d"}',
  ],
  [
    'structures',
    String.raw`{"1": {"f": {"f": "hi","F": 5} ,"\n": 56.0}, "10": { }, "": "empty", "a": { }, "111": [ {"e": "yes","E": "no" } ], "A": { }}`,
    String.raw`{"":"empty","1":{"\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{"E":"no","e":"yes"}],"A":{},"a":{}}`,
  ],
  [
    'text that is not normalized',
    String.raw`{"Unnormalized Unicode":"A\u030a"}`,
    '{"Unnormalized Unicode":"A\u030a"}',
  ],
  ['control characters', '"\\u0000\\u0008\\u0009\\u000c\\u001f\\u007f"', '"\\u0000\\b\\t\\f\\u001f\u007f"'],
  ['a key named __proto__', '{"b":1,"__proto__":{"a":2}}', '{"__proto__":{"a":2},"b":1}'],
])('has the form of the RFC for %s', (_, json, form) => {
  expect(canonicalJson(JSON.parse(json))).toBe(form);
});

it('keeps the value, has one form for it in any order of keys, and is its own form', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'grapheme' }), (value) => {
      const form = canonicalJson(value);
      expect(JSON.parse(form)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(canonicalJson(reversed(value))).toBe(form);
      expect(canonicalJson(JSON.parse(form))).toBe(form);
    }),
  );
});

it('leaves out members that are undefined', () => {
  expect(canonicalJson({ a: undefined, b: 1 })).toBe('{"b":1}');
});

it.each([
  ['NaN', Number.NaN],
  ['infinity', [Infinity]],
  ['undefined', undefined],
  ['undefined in an array', [undefined]],
  ['a hole', Object.assign([0], { length: 2 })],
  ['a bigint', { a: 1n }],
  ['a function', { a: () => 1 }],
  ['a symbol', Symbol('a')],
  ['a date', new Date(0)],
  ['bytes', Buffer.from('a')],
  ['a map', new Map()],
  ['half a surrogate pair', '\ud83d'],
  ['half a surrogate pair in a key', { '\udc00': 1 }],
  ['513 levels', nested(513)],
  ['a cycle', cycle()],
])('has no form for %s', (_, value) => {
  expect(() => canonicalJson(value)).toThrow(TlogError);
  expect(() => canonicalJson(value)).toThrow(expect.objectContaining({ code: 'no_canonical_form' }));
});

it('has a form for 512 levels', () => {
  expect(canonicalJson(nested(512))).toBe(`${'['.repeat(512)}0${']'.repeat(512)}`);
});

function nested(levels: number): unknown {
  let value: unknown = 0;
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
}

function cycle(): unknown {
  const value: Record<string, unknown> = {};
  value['self'] = value;
  return value;
}

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, member]) => [key, reversed(member)] as const);
  return Object.fromEntries(entries.toReversed());
}
