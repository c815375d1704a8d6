import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  randomFillSync,
} from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** How the keys of people stand in the database, and how one finds theirs without writing down a name. */
export interface KeyWrapping {
  /** Kept with every key, so that it is known what opens it. `null`: nothing is needed. */
  readonly id: string | null;
  /** What a name is looked up by. `kind` keeps a lookup of one sort from being one of another. */
  lookup(kind: string, text: string): string;
  wrap(keyId: string, key: Buffer): string;
  /** @throws Error when it was wrapped under another secret, for another id, or was changed */
  unwrap(keyId: string, wrapped: string): Buffer;
}

/** Without a secret of the operator: whoever has the database has the keys. */
export const CLEAR_WRAPPING: KeyWrapping = {
  id: null,
  lookup: (kind, text) =>
    createHash('sha256').update(`sallyport-lookup/v1\n${kind}\n`).update(text).digest('hex'),
  wrap: (_keyId, key) => key.toString('base64url'),
  unwrap: (_keyId, wrapped) => Buffer.from(wrapped, 'base64url'),
};

/**
 * Under a secret of the operator, so that the database alone opens nothing: AES-256-GCM, bound to the id of the key, and
 * lookups by HMAC-SHA-256. Each has a key of its own (HKDF, RFC 5869).
 */
export function secretWrapping(secret: string): KeyWrapping {
  const wrappingKey = derivedKey(secret, 'wrap');
  const lookupKey = derivedKey(secret, 'lookup');
  return {
    id: derivedKey(secret, 'id').subarray(0, 8).toString('hex'),
    lookup: (kind, text) => createHmac('sha256', lookupKey).update(`${kind}\n`).update(text).digest('hex'),
    wrap: (keyId, key) => seal(wrappingKey, keyId, key).toString('base64url'),
    unwrap: (keyId, wrapped) => open(wrappingKey, keyId, Buffer.from(wrapped, 'base64url')),
  };
}

/** 32 bytes for one purpose, from which no other purpose's can be told. */
export function derivedKey(secret: string | Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'sallyport-audit/v1', purpose, 32));
}

/** Drawn many at a time, as node does for its UUIDs: one by one they took as long as the cipher. */
const nonces = Buffer.alloc(64 * NONCE_BYTES);
let drawn = nonces.length;

/** Handed out once; to be used before the next one is asked for. */
function freshNonce(): Buffer {
  if (drawn === nonces.length) {
    randomFillSync(nonces);
    drawn = 0;
  }
  drawn += NONCE_BYTES;
  return nonces.subarray(drawn - NONCE_BYTES, drawn);
}

/** Nonce, ciphertext and tag; of a text, its UTF-8. `bound` is not in it, and must be said again to open it. */
export function seal(key: Buffer, bound: string, content: Buffer | string): Buffer {
  const nonce = freshNonce();
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(bound));
  const encrypted = typeof content === 'string' ? cipher.update(content, 'utf8') : cipher.update(content);
  return Buffer.concat([nonce, encrypted, cipher.final(), cipher.getAuthTag()]);
}

/** @throws Error when the key or what it is bound to is another, or anything was changed */
export function open(key: Buffer, bound: string, sealed: Buffer): Buffer {
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const end = Math.max(sealed.length - TAG_BYTES, NONCE_BYTES);
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(bound));
  decipher.setAuthTag(sealed.subarray(end));
  return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, end)), decipher.final()]);
}
