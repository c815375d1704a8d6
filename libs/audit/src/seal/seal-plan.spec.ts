import fc from 'fast-check';

import { MissingRecordError, planSeal, type SealBounds } from './seal-plan.js';
import type { Candidate } from './seal-rows.js';

const DAY = 24 * 60 * 60_000;
const NOW = 100 * DAY;
const BOUNDS: SealBounds = { from: 0, signed: 0, before: NOW, shipped: undefined, now: NOW };

/** A log of these leaves, all of it signed unless said otherwise. */
function plan(leaves: readonly Partial<Candidate>[], bounds: Partial<SealBounds> = {}) {
  const log = leaves.map((leaf, index): Candidate => ({
    index,
    seq: index + 1,
    at: 50 * DAY + index,
    isAttempt: false,
    outcome: undefined,
    ...leaf,
  }));
  const candidates = (first: number, limit: number) => Promise.resolve(log.slice(first, first + limit));
  return planSeal({ candidates }, { ...BOUNDS, signed: log.length, ...bounds });
}

const other = {};
const attempt = (outcome?: number) => ({
  isAttempt: true,
  outcome: outcome === undefined ? undefined : { index: outcome },
});

describe('The range that is sealed', () => {
  it('is nothing of an empty log', async () => {
    expect(await plan([])).toMatchObject({ from: 0, to: undefined, endedBy: 'checkpoint' });
  });

  it('is everything that is signed, with the times of its ends', async () => {
    expect(await plan([other, other, other], { signed: 2 })).toEqual({
      from: 0,
      to: 1,
      first: 50 * DAY,
      last: 50 * DAY + 1,
      endedBy: 'checkpoint',
    });
  });

  it('begins after what was sealed', async () => {
    expect(await plan([other, other, other], { from: 2 })).toMatchObject({ from: 2, to: 2 });
  });

  it('ends before the first record that is not older, whatever comes after it', async () => {
    const leaves = [{ at: 1 }, { at: 10 }, { at: 2 }];
    expect(await plan(leaves, { before: 10 })).toMatchObject({ to: 0, endedBy: 'age' });
    expect(await plan([{ at: Number.NaN }], { before: 10 })).toMatchObject({ to: undefined, endedBy: 'age' });
  });

  it('ends before the first record that is not shipped', async () => {
    expect(await plan([other, other, other], { shipped: 2 })).toMatchObject({ to: 1, endedBy: 'follower' });
    expect(await plan([other], { shipped: 0 })).toMatchObject({ to: undefined, endedBy: 'follower' });
  });

  it('holds no attempt without its outcome', async () => {
    expect(await plan([other, attempt(3), attempt(2), other, other], { signed: 3 })).toMatchObject({
      to: 0,
      endedBy: 'attempt',
    });
    expect(await plan([other, attempt(3), attempt(2), other, other])).toMatchObject({ to: 4 });
    const unlogged = { isAttempt: true, outcome: { index: undefined } };
    expect(await plan([other, unlogged, other])).toMatchObject({ to: 0, endedBy: 'attempt' });
  });

  it('holds an attempt that has no outcome after a day', async () => {
    expect(await plan([other, attempt(), other])).toMatchObject({ to: 2 });
    const young = { ...attempt(), at: NOW - DAY + 1 };
    expect(await plan([other, young])).toMatchObject({ to: 0, endedBy: 'attempt' });
    expect(await plan([other, { ...young, at: NOW - DAY }])).toMatchObject({ to: 1 });
  });

  it('is refused where a record or a leaf is missing', async () => {
    await expect(plan([other, { at: undefined }])).rejects.toThrow(MissingRecordError);
    await expect(plan([other, other], { signed: 3 })).rejects.toThrow(MissingRecordError);
  });

  it('is the longest that keeps every rule, by trying all of them', async () => {
    const leaf = fc.record({
      at: fc.oneof(fc.constant(50 * DAY), fc.constant(NOW - 1000), fc.constant(NOW + 1)),
      isAttempt: fc.boolean(),
      ends: fc.option(fc.nat(6)),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(leaf, { maxLength: 24 }),
        fc.nat(24),
        fc.option(fc.nat(30)),
        async (given, cut, shipped) => {
          const leaves = given.map(({ ends, ...rest }, index) => ({
            ...rest,
            outcome: rest.isAttempt && ends !== null ? { index: index + 1 + ends } : undefined,
          }));
          const signed = Math.min(cut, leaves.length);
          const found = await plan(leaves, { signed, shipped: shipped ?? undefined });
          const isAllowed = (end: number) =>
            leaves.slice(0, end).every(({ at, isAttempt, outcome }, index) => {
              const isClosed = !isAttempt || (outcome === undefined ? NOW - at >= DAY : outcome.index < end);
              return at < NOW && (shipped === null || index + 1 <= shipped) && isClosed;
            });
          const ends = Array.from({ length: signed }, (_, at) => at + 1).filter(isAllowed);
          expect(found.to).toBe(ends.length === 0 ? undefined : Math.max(...ends) - 1);
        },
      ),
      { numRuns: 500 },
    );
  });
});
