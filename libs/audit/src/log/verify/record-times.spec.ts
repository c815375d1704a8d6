import type { LoggedRecord } from '../log-rows.js';
import { LATE_MS, RecordTimes } from './record-times.js';

const MINUTE = 60_000;
const NOON = Date.parse('2026-11-28T12:00:00Z');

const leaf = (index: number, at: number): LoggedRecord => ({
  index,
  seq: index + 1,
  hash: new Uint8Array(32),
  record: { seq: index + 1, id: `record-${index}`, at },
});

const signedAt = (at: number) => ({ roots: new Map<string, string>(), signedAt: at, firstSignedAt: at });

/** What is said of records with these times, with nothing signed between. */
function examined(times: readonly number[], now: number, signed = 0): (string | undefined)[] {
  const check = new RecordTimes(now);
  check.expect(0, times.length, new Map(), undefined);
  return times.map((at, index) => check.examine(leaf(index, at), signed)?.finding.message);
}

describe('the times of records', () => {
  it('may be up to ten minutes behind those before them', () => {
    expect(LATE_MS).toBe(10 * MINUTE);
    expect(examined([NOON, NOON - 10 * MINUTE, NOON + 1], NOON + MINUTE)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('are compared with the latest before them, though no checkpoint is left', () => {
    const [, late, next] = examined([NOON, NOON - 11 * MINUTE, NOON + 1], NOON + MINUTE);
    expect(late).toBe(
      'The record at index 1 says 2026-11-28T11:49:00.000Z, and stands behind records of 2026-11-28T12:00:00.000Z.',
    );
    expect(next).toBeUndefined();
  });

  it('are compared with the last time that the log was signed without them', () => {
    const [late] = examined([NOON - 11 * MINUTE], NOON + MINUTE, NOON);
    expect(late).toContain('was not in the log that was signed at 2026-11-28T12:00:00.000Z');
  });

  it('do not make those after them late when they are in the future', () => {
    const years = NOON + 1_000_000 * MINUTE;
    expect(examined([years, NOON], NOON + MINUTE)).toEqual([undefined, undefined]);
    const check = new RecordTimes(NOON + 100_000 * MINUTE);
    // Both were signed at noon, whatever time it is now.
    check.expect(0, 2, new Map([[2, signedAt(NOON)]]), undefined);
    expect(check.examine(leaf(0, years), 0)).toBeUndefined();
    expect(check.examine(leaf(1, NOON), 0)).toBeUndefined();
    check.expect(2, 4, new Map(), NOON + MINUTE);
    expect(check.examine(leaf(2, years), NOON)).toBeUndefined();
    expect(check.examine(leaf(3, NOON), NOON)).toBeUndefined();
  });

  it('say nothing where they are none', () => {
    expect(examined([Number.NaN, NOON], NOON)).toEqual([undefined, undefined]);
  });
});
