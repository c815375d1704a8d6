import { canonicalJson } from '@sallyport/tlog';
import fc from 'fast-check';

import { leafHashOf, leafOf } from './record-leaf.js';

describe('the leaf of a record', () => {
  it('is the canonical JSON of its columns, without seq and without what is null', () => {
    expect(leafOf({ seq: 7, shown: 3, id: 'a', entry: null, kind: 'list' })).toBe(
      '{"id":"a","kind":"list","shown":3}',
    );
  });

  it('stays what it is when a column is added that older records do not have', () => {
    const record = { id: 'a', at: 1 };
    expect(leafOf({ ...record, seq: 1 })).toBe(leafOf({ seq: 2, later: null, ...record }));
  });

  it('is the canonical JSON whatever the columns hold, and their order does not matter', () => {
    const value = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    );
    const record = fc.dictionary(
      fc.string({ minLength: 1 }).filter((name) => name !== 'seq' && name !== '__proto__'),
      value,
    );
    fc.assert(
      fc.property(record, (columns) => {
        const turned = Object.fromEntries(Object.entries(columns).reverse());
        expect(leafOf(columns)).toBe(canonicalJson(columns));
        expect(leafOf(turned)).toBe(leafOf(columns));
      }),
    );
  });

  it('is another one for another value of any column', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
        fc.pre(a !== b);
        expect(leafHashOf({ id: 'x', entry: a })).not.toEqual(leafHashOf({ id: 'x', entry: b }));
      }),
    );
  });

  it('is made of any row, also of one that somebody else wrote', () => {
    const odd = { id: '\ud800', at: Infinity, kind: Buffer.from('x'), shown: 2n ** 60n, via: NaN };
    expect(() => leafOf(odd)).not.toThrow();
    expect(leafOf({ id: Buffer.from('abc') })).not.toBe(leafOf({ id: 'abc' }));
  });
});
