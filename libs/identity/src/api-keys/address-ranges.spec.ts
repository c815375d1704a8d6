import fc from 'fast-check';
import { isAddressRange, isWithin } from './address-ranges.js';

it.each([
  ['192.0.2.7', ['192.0.2.0/24'], true],
  ['192.0.3.7', ['192.0.2.0/24'], false],
  ['192.0.2.7', ['192.0.2.7'], true],
  ['192.0.2.8', ['192.0.2.7'], false],
  ['192.0.2.8', ['10.0.0.0/8', '192.0.2.8/31'], true],
  ['::ffff:192.0.2.7', ['192.0.2.0/24'], true],
  ['::ffff:192.0.3.7', ['192.0.2.0/24'], false],
  ['2001:db8::1', ['2001:db8::/32'], true],
  ['2001:DB8:0:0:0:0:0:1', ['2001:db8::1'], true],
  ['2001:db9::1', ['2001:db8::/32'], false],
  ['2001:db8::1', ['0.0.0.0/0'], false],
  ['192.0.2.7', ['0.0.0.0/0'], true],
  ['fe80::1%eth0', ['fe80::/10'], true],
  ['192.0.2.7', [], true],
  [undefined, [], true],
  [undefined, ['0.0.0.0/0', '::/0'], false],
  ['not an address', ['0.0.0.0/0', '::/0'], false],
  ['192.0.2.7', ['not a range'], false],
])('%s within %j: %s', (address, ranges, expected) => {
  expect(isWithin(address, ranges)).toBe(expected);
});

it.each([
  '192.0.2.0/24',
  '192.0.2.7',
  '0.0.0.0/0',
  '2001:db8::/32',
  '::1',
  '::/0',
  '192.0.2.1/32',
  '::1/128',
])('%s is a range', (range) => expect(isAddressRange(range)).toBe(true));

it.each([
  '',
  'localhost',
  '192.0.2.0/33',
  '192.0.2.0/-1',
  '192.0.2.0/024',
  '192.0.2.0/24/24',
  '192.0.2/24',
  '192.0.2.0/',
  '192.0.2.0/x',
  '::/129',
  'fe80::1%eth0',
  ' 192.0.2.0/24',
])('%j is no range', (range) => expect(isAddressRange(range)).toBe(false));

it('holds exactly the addresses that agree in the leading bits', () => {
  const address = fc.ipV4();
  fc.assert(
    fc.property(address, address, fc.integer({ min: 0, max: 32 }), (one, other, bits) => {
      const agrees = bits === 0 || numberOf(one) >>> (32 - bits) === numberOf(other) >>> (32 - bits);
      expect(isWithin(one, [`${other}/${bits}`])).toBe(agrees);
    }),
    { numRuns: 500 },
  );
});

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => ((sum << 8) | Number(part)) >>> 0, 0);
}
