import fc from 'fast-check';

import { LowWater } from './low-water.js';

describe('the low water of the sequencer', () => {
  it('stays below what another process may be committing at the start', () => {
    expect(new LowWater(50_000, 1000).value).toBe(40_000);
    expect(new LowWater(5, 1000).value).toBe(0);
  });

  it('rises to what was seen long enough before the pass that found nothing below it', () => {
    const water = new LowWater(0, 1000);
    water.passed(10, 0);
    water.passed(20, 999);
    expect(water.value).toBe(0);
    water.passed(30, 1000);
    expect(water.value).toBe(10);
    water.passed(30, 2000);
    expect(water.value).toBe(30);
  });

  it('rises at once where numbers are in order of commit', () => {
    const water = new LowWater(0, 0);
    water.passed(10, 5);
    expect(water.value).toBe(10);
  });

  it('never falls, and never passes a number that was seen less than the grace before', () => {
    const step = fc.record({ wait: fc.nat(2000), growth: fc.nat(50) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const water = new LowWater(0, 1000);
        const seen: { at: number; seq: number }[] = [];
        let [now, seq] = [0, 0];
        for (const { wait, growth } of steps) {
          const before = water.value;
          now += wait;
          seq += growth;
          seen.push({ at: now, seq });
          water.passed(seq, now);
          const settled = seen.filter(({ at }) => at <= now - 1000);
          expect(water.value).toBe(settled.at(-1)?.seq ?? 0);
          expect(water.value).toBeGreaterThanOrEqual(before);
        }
      }),
    );
  });
});
