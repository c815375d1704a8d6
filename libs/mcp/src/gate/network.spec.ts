import fc from 'fast-check';
import { networkOf } from './network.js';

it.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['::FFFF:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:0001:2::', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:db8::7:3:4:5:6', '2001:db8:0:7::/64'],
  ['::1', '0:0:0:0::/64'],
  ['::', '0:0:0:0::/64'],
  ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
  ['1:2:3:4:5:6:192.0.2.7', '1:2:3:4::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['somewhere', 'somewhere'],
  ['', ''],
  [undefined, ''],
])('%s comes from %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});

it('is the same for every host of a network, however its address is written', () => {
  const group = fc.nat(0xffff).map((value) => value.toString(16));
  const half = fc.array(group, { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(half, half, half, (network, host, other) => {
      const written = [...network, ...host].join(':');
      const shortest = new URL(`http://[${written}]`).hostname.slice(1, -1);
      fc.pre(!shortest.startsWith('::ffff:'));
      expect(networkOf(shortest)).toBe(`${network.join(':')}::/64`);
      expect(networkOf([...network, ...other].join(':'))).toBe(networkOf(shortest));
    }),
  );
});
