import { BlockList, isIP, isIPv4 } from 'node:net';

/** An IPv4 address that arrived at a socket for both families (RFC 4291 §2.5.5.2). */
const MAPPED = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i;

/** Whether this is a range: `192.0.2.0/24`, `2001:db8::/32`, or a single address. */
export function isAddressRange(range: string): boolean {
  return partsOf(range) !== undefined;
}

/** Whether an address is inside one of the ranges. No ranges: anywhere. An unknown address is in none. */
export function isWithin(address: string | undefined, ranges: readonly string[]): boolean {
  if (ranges.length === 0) return true;
  const plain = address === undefined ? undefined : plainAddress(address);
  if (plain === undefined) return false;
  return listOf(ranges).check(plain, familyOf(plain));
}

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const parts = partsOf(range);
    // What is not a range lets nobody in.
    if (parts !== undefined) list.addSubnet(parts.address, parts.bits, familyOf(parts.address));
  }
  return list;
}

function partsOf(range: string): { readonly address: string; readonly bits: number } | undefined {
  const [address = '', bits, ...more] = range.split('/');
  if (more.length > 0 || isIP(address) === 0 || address.includes('%')) return undefined;
  const longest = isIPv4(address) ? 32 : 128;
  if (bits === undefined) return { address, bits: longest };
  return /^(0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= longest
    ? { address, bits: Number(bits) }
    : undefined;
}

/** Without the zone of a link-local address, and IPv4 as IPv4. */
function plainAddress(address: string): string | undefined {
  const [unscoped = ''] = address.split('%');
  const plain = MAPPED.exec(unscoped)?.[1] ?? unscoped;
  return isIP(plain) === 0 ? undefined : plain;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv4(address) ? 'ipv4' : 'ipv6';
}
