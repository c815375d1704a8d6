import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { canonicalJson, isPlainObject } from '@sallyport/mcp';

import { derivedKey, open, seal } from './key-wrapping.js';

/** What is sealed is filled up to a multiple of this many bytes, so that its length hardly tells a name. */
const BLOCK = 128;

/**
 * The key of one person within one tenant: what a record says of them is sealed with it, and what they sent is hashed
 * with it. Without it nobody can read the one or find the other by guessing.
 */
export class PersonKey {
  private sealing: Buffer | undefined;
  private hashing: KeyObject | undefined;

  constructor(
    /** Random: names the person in a record, and says nothing of them. */
    readonly id: string,
    private readonly secret: Buffer,
  ) {}

  /** `bound`: where it belongs, such as the id of the record. Elsewhere it does not open. */
  seal(bound: string, content: Readonly<Record<string, unknown>>): string {
    const json = JSON.stringify(content);
    const length = Buffer.byteLength(json);
    const filling = Math.ceil(length / BLOCK) * BLOCK - length;
    this.sealing ??= derivedKey(this.secret, 'seal');
    return seal(this.sealing, bound, json + ' '.repeat(filling)).toString('base64url');
  }

  /** @throws Error when it was sealed with another key, or belongs elsewhere, or was changed */
  open(bound: string, sealed: string): Record<string, unknown> {
    this.sealing ??= derivedKey(this.secret, 'seal');
    const text = open(this.sealing, bound, Buffer.from(sealed, 'base64url')).toString('utf8');
    const content: unknown = JSON.parse(text);
    if (isPlainObject(content)) return content;
    throw new Error('What was sealed is no object.');
  }

  /**
   * HMAC-SHA-256 of the canonical form, in hexadecimal. The same value of the same person has the same hash, and of
   * nobody else.
   *
   * @throws TypeError for what canonical JSON (RFC 8785) has no form for
   */
  hash(domain: string, value: unknown): string {
    // As a key object: as bytes, it would be read anew for each hash.
    this.hashing ??= createSecretKey(derivedKey(this.secret, 'hash'));
    return createHmac('sha256', this.hashing)
      .update(`${domain}\n${canonicalJson(value)}`)
      .digest('hex');
  }
}
