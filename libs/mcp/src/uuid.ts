import { randomFillSync } from 'node:crypto';

/** Random bytes are drawn in large portions: asking the system for sixteen costs as much as for thousands. */
const pool = Buffer.alloc(4096);
let used = pool.length;

/** A UUID version 7 (RFC 9562 §5.7): unguessable, and ordered by time so that indexes stay compact. */
export function uuidV7(now = Date.now()): string {
  const bytes = randomBytes16();
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** A slice of the pool that nobody gets a second time. */
function randomBytes16(): Buffer {
  if (used + 16 > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += 16;
  return pool.subarray(used - 16, used);
}
