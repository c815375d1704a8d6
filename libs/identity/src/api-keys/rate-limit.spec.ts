import { RateLimit } from './rate-limit.js';

function limit() {
  return new RateLimit({ most: 2, windowMs: 1000, mostCallers: 3 });
}

it('lets so many pass in a window, and says how long to wait', () => {
  const subject = limit();
  expect([0, 10, 20, 999, 1000].map((now) => subject.waitFor('192.0.2.7', now))).toEqual([0, 0, 980, 1, 0]);
});

it('counts each address by itself, and a /64 of IPv6 as one', () => {
  const subject = limit();
  const waits = ['2001:db8::1', '2001:db8::2', '2001:db8:0:0:ffff::3', '2001:db8:0:1::1'].map((address) =>
    subject.waitFor(address, 0),
  );
  expect(waits).toEqual([0, 0, 1000, 0]);
  expect(subject.waitFor('::ffff:192.0.2.7', 0)).toBe(0);
});

it('remembers a bounded number of callers', () => {
  const subject = limit();
  subject.waitFor('a', 0);
  subject.waitFor('a', 0);
  for (const caller of ['b', 'c', 'd']) subject.waitFor(caller, 0);
  expect(subject.waitFor('a', 0)).toBe(0);
  expect(subject.waitFor(undefined, 0)).toBe(0);
});
