import { createHmac, timingSafeEqual } from 'node:crypto';

/** One version of the secret that key hashes are made with. */
export interface Pepper {
  /** Stands beside each hash, such as `1` or `2026-11`. */
  readonly version: string;
  /** At least 32 characters; make one with `openssl rand -base64 32`. */
  readonly secret: string;
}

/** What is stored of a key: nothing to find the key with, even for one who reads the table, without the pepper. */
export interface KeyHash {
  /** Lower-case hexadecimal HMAC-SHA-256. */
  readonly hash: string;
  /** Version of the pepper. */
  readonly pepper: string;
}

const DOMAIN = 'sallyport-api-key/v1\n';
const HASH_BYTES = 32;

/** Hashes keys with the first pepper, and compares with whichever one a hash was made with. */
export class KeyHasher {
  private readonly secrets: ReadonlyMap<string, string>;
  private readonly current: Pepper;

  /** @throws TypeError without a pepper */
  constructor(peppers: readonly Pepper[]) {
    const [current] = peppers;
    if (current === undefined) throw new TypeError('Hashing keys takes a pepper.');
    this.current = current;
    this.secrets = new Map(peppers.map(({ version, secret }) => [version, secret]));
  }

  hash(key: string): KeyHash {
    const { version, secret } = this.current;
    return { hash: hmac(secret, key).toString('hex'), pepper: version };
  }

  /**
   * Compares in constant time. A hash that is not there, or whose pepper is gone, takes as long and matches nothing.
   */
  matches(key: string, known: KeyHash | undefined): boolean {
    const secret = known && this.secrets.get(known.pepper);
    const given = hmac(secret ?? this.current.secret, key);
    const expected = Buffer.from(known?.hash ?? '', 'hex');
    const isComparable = secret !== undefined && expected.length === HASH_BYTES;
    return timingSafeEqual(given, isComparable ? expected : Buffer.alloc(HASH_BYTES)) && isComparable;
  }
}

function hmac(secret: string, key: string): Buffer {
  return createHmac('sha256', secret).update(DOMAIN).update(key).digest();
}
