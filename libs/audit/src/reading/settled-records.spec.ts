import fc from 'fast-check';

import { endOfRun } from './settled-records.js';

describe('The end of a run of numbers', () => {
  it.each([
    [0, [], 0],
    [0, [1, 2, 3], 3],
    [0, [2, 3], 0],
    [5, [6, 7, 9], 7],
    [5, [7], 5],
  ])('after %i in %j is %i', (after, seqs, end) => {
    expect(endOfRun(after, seqs)).toBe(end);
  });

  it('passes no number that is missing', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.uniqueArray(fc.integer({ min: 1, max: 40 })), (after, offsets) => {
        const seqs = offsets.toSorted((a, b) => a - b).map((offset) => after + offset);
        const end = endOfRun(after, seqs);
        const passed = Array.from({ length: end - after }, (_, index) => after + index + 1);
        expect(seqs).toEqual(expect.arrayContaining(passed));
        expect(seqs).not.toContain(end + 1);
      }),
    );
  });
});
