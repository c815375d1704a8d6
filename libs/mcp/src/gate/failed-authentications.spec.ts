import fc from 'fast-check';
import { FailedAuthentications, type CountedFailures } from './failed-authentications.js';
import { TokenBuckets } from './token-buckets.js';

const HERE = { via: 'http', address: '192.0.2.7' } as const;
const THERE = { via: 'http', address: '192.0.2.8' } as const;
const stranger = () => false;
const yes = async () => true;

describe('Token buckets', () => {
  const rate = { perMinute: 30, burst: 3 };

  it('give a burst, then so many a minute, to each key', () => {
    const buckets = new TokenBuckets(rate, 10);
    const taken = [0, 0, 0, 0, 1_999, 2_000, 2_000, 2_001].map((now) => buckets.take('a', now));
    expect(taken).toEqual([true, true, true, false, false, true, false, false]);
    expect(buckets.wait('a', 2_000)).toBe(2_000);
    expect(buckets.take('b', 0)).toBe(true);
  });

  it('never give more than the rate allows, whatever the clock does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5_000, max: 20_000 }), { maxLength: 200 }), (steps) => {
        const buckets = new TokenBuckets(rate, 10);
        let now = 0;
        let forward = 0;
        let taken = 0;
        for (const step of steps) {
          now += step;
          forward += Math.max(0, step);
          expect(buckets.has('a', now)).toBe(buckets.wait('a', now) === 0);
          if (buckets.take('a', now)) taken += 1;
        }
        expect(taken).toBeLessThanOrEqual(rate.burst + forward / 2_000);
      }),
    );
  });

  it('remember a bounded number of keys', () => {
    const buckets = new TokenBuckets(rate, 2);
    for (const key of ['a', 'a', 'a', 'b', 'c']) buckets.take(key, 0);
    expect(buckets.wait('a', 0)).toBe(0);
  });
});

describe('Failed authentications', () => {
  let now: number;
  let counted: CountedFailures[];
  let durable: boolean;

  beforeEach(() => {
    now = 1_000_000;
    counted = [];
    durable = true;
  });

  function failures(rate = { perMinute: 30, burst: 3 }) {
    const record = async (failed: CountedFailures) => {
      if (durable) counted.push(failed);
      return durable;
    };
    return new FailedAuthentications(rate, record, () => now);
  }

  async function fail(
    subject: FailedAuthentications,
    times: number,
    from: typeof HERE | typeof THERE = HERE,
  ) {
    const notes = [];
    for (let time = 0; time < times; time += 1) notes.push(await subject.note(from, yes));
    return notes;
  }

  it('are recorded one by one up to the limit', async () => {
    const subject = failures();
    expect(await fail(subject, 5)).toEqual(['noted', 'noted', 'noted', 'too_many', 'too_many']);
    expect(subject.retryAfterSeconds(HERE)).toBe(2);
    expect(await fail(subject, 1, THERE)).toEqual(['noted']);
  });

  it('beyond it share one record at once, and one when they end', async () => {
    const subject = failures();
    await fail(subject, 100);
    expect(counted).toEqual([{ network: '192.0.2.7', count: 1, since: new Date(now) }]);
    await subject.close();
    expect(counted.map(({ count }) => count)).toEqual([1, 96]);
    await subject.close();
    expect(counted).toHaveLength(2);
  });

  it('that go on share a record a minute, and the last one when it is over', async () => {
    const { setInterval } = globalThis;
    let sweep: () => void = () => undefined;
    globalThis.setInterval = ((tick: () => void) => {
      sweep = tick;
      return { unref: () => undefined };
    }) as unknown as typeof setInterval;
    const subject = failures({ perMinute: 1, burst: 1 });
    try {
      await fail(subject, 10);
      for (const [seconds, more] of [
        [10, 5],
        [50, 7],
        [30, 0],
        [30, 0],
        [60, 0],
      ] as const) {
        now += seconds * 1000;
        sweep();
        for (let time = 0; time < more; time += 1) await subject.noteUnseen(HERE);
      }
    } finally {
      globalThis.setInterval = setInterval;
    }
    expect(counted.map(({ count }) => count)).toEqual([1, 13, 7]);
    expect(counted.map(({ since }) => since.getTime() - 1_000_000)).toEqual([0, 0, 60_000]);
  });

  it('lose no count while they cannot be recorded', async () => {
    const subject = failures();
    durable = false;
    expect(await fail(subject, 5)).toEqual(['noted', 'noted', 'noted', 'unrecorded', 'too_many']);
    await subject.close();
    durable = true;
    await subject.close();
    expect(counted.map(({ count }) => count)).toEqual([2]);
  });

  it('that cannot be recorded one by one are said to be so', async () => {
    expect(await failures().note(HERE, async () => false)).toBe('unrecorded');
  });

  it('leave four of an address to be judged at a time, when it is over the limit', async () => {
    const subject = failures();
    await fail(subject, 3);
    const turns = Array.from({ length: 6 }, () => subject.turnFor(HERE, stranger));
    expect(turns.map((turn) => turn !== undefined)).toEqual([true, true, true, true, false, false]);
    turns[0]?.end();
    expect(subject.turnFor(HERE, stranger)).toBeDefined();
    expect(subject.turnFor(HERE, stranger)).toBeUndefined();
    expect(subject.turnFor(THERE, stranger)).toBeDefined();
  });

  it('never hold up what was good before', async () => {
    const subject = failures();
    await fail(subject, 3);
    for (let time = 0; time < 100; time += 1) expect(subject.turnFor(HERE, () => true)).toBeDefined();
  });

  it('ask whether a credential is recognized only over the limit', async () => {
    const subject = failures();
    const asked = () => {
      throw new Error('asked');
    };
    expect(subject.turnFor(HERE, asked)).toBeDefined();
    await fail(subject, 3);
    expect(() => subject.turnFor(HERE, asked)).toThrow('asked');
    expect(subject.turnFor(THERE, asked)).toBeDefined();
  });

  it('are forgiven with time', async () => {
    const subject = failures();
    await fail(subject, 10);
    now += 2_000;
    expect(await fail(subject, 2)).toEqual(['noted', 'too_many']);
  });

  it('of all networks together are bounded, too, and counted together', async () => {
    const subject = failures();
    for (let host = 0; host < 100; host += 1) {
      expect(await subject.note({ via: 'http', address: `198.51.100.${host}` }, yes)).toBe('noted');
    }
    expect(counted).toEqual([{ network: undefined, count: 1, since: new Date(now) }]);
    const turns = Array.from({ length: 20 }, (_, host) =>
      subject.turnFor({ via: 'http', address: `203.0.113.${host}` }, stranger),
    );
    expect(turns.filter((turn) => turn !== undefined)).toHaveLength(16);
    await subject.close();
    expect(counted.map(({ count }) => count)).toEqual([1, 39]);
  });

  it('of one IPv6 network are of one caller', async () => {
    const subject = failures();
    const notes = [];
    for (let host = 0; host < 4; host += 1)
      notes.push(await subject.note({ via: 'http', address: `2001:db8::${host}` }, yes));
    expect(notes).toEqual(['noted', 'noted', 'noted', 'too_many']);
  });

  it('of the process behind stdio are not limited', async () => {
    const subject = failures();
    for (let time = 0; time < 10; time += 1)
      expect(await subject.note({ via: 'stdio', address: undefined }, yes)).toBe('noted');
    expect(subject.turnFor({ via: 'stdio', address: undefined }, stranger)).toBeDefined();
  });

  it('cost microseconds each', async () => {
    const subject = failures();
    await fail(subject, 4);
    const started = performance.now();
    for (let time = 0; time < 20_000; time += 1) {
      subject.turnFor(HERE, stranger)?.end();
      await subject.noteUnseen(HERE);
    }
    // Fifty times what it takes on a slow machine.
    expect((performance.now() - started) / 20_000).toBeLessThan(0.1);
  });
});
