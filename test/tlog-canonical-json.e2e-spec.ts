import { canonicalJson as canonicalJsonOfMcp } from '@sallyport/mcp';
import { canonicalJson } from '@sallyport/tlog';
import fc from 'fast-check';

it('has the form in which a call is digested, for every JSON value', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'grapheme' }), fc.double(), (value, number) => {
      fc.pre(Number.isFinite(number));
      expect(canonicalJson([value, number])).toBe(canonicalJsonOfMcp([value, number]));
    }),
    { numRuns: 1000 },
  );
});

it.each<[string, unknown]>([
  ['members that are undefined', { b: 1, a: undefined }],
  ['keys that only their code units order', { '\ufb33': 1, '\ud83d\ude00': 2, é: 3, '10': 4, '9': 5 }],
  ['minus zero', -0],
])('has the same form for %s', (_, value) => {
  expect(canonicalJson(value)).toBe(canonicalJsonOfMcp(value));
});

it.each<[string, unknown]>([
  ['a number that is not finite', Number.NaN],
  ['half a surrogate pair', '\ud800'],
  ['a hole', Object.assign([0], { length: 2 })],
  ['a date', new Date(0)],
  ['undefined', undefined],
])('refuses %s as well', (_, value) => {
  expect(() => canonicalJson(value)).toThrow();
  expect(() => canonicalJsonOfMcp(value)).toThrow();
});
