import { isIPv6 } from 'node:net';

/** An IPv4 address that arrived at a socket for both families (RFC 4291 §2.5.5.2). */
const MAPPED = /^::ffff:(?=\d{1,3}\.)/;

/**
 * What one caller can come from: an IPv4 address, or the /64 of an IPv6 address, all of which belongs to one network
 * (RFC 6177). Callers without an address are one.
 */
export function networkOf(address: string | undefined): string {
  const [plain = ''] = (address ?? '').toLowerCase().split('%');
  const unmapped = plain.replace(MAPPED, '');
  return isIPv6(unmapped) ? `${upperHalf(unmapped)}::/64` : unmapped;
}

/** The first four groups of an IPv6 address, without leading zeros. */
function upperHalf(address: string): string {
  const [head = '', tail] = address.split('::');
  const left = groupsOf(head);
  const right = tail === undefined ? [] : groupsOf(tail);
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0');
  return [...left, ...zeros, ...right]
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
}

/** A dotted quad at the end stands for two groups, and is never among the first four. */
function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]));
}
