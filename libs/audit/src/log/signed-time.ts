import { createHash } from 'node:crypto';

import type { NoteSigner, NoteVerifier } from '@sallyport/tlog';

/** Signature type of a timestamped Ed25519 cosignature (c2sp.org/tlog-cosignature). */
const COSIGNATURE = 0x04;
const TIME_BYTES = 8;

/**
 * Signs the time beside a checkpoint, by the key of the log itself (c2sp.org/tlog-cosignature, `cosignature/v1`): so two
 * checkpoints of one size differ, a reader sees when the log was alive, and verifiers that know nothing of it ignore the
 * line. The specification advises against a line of the checkpoint for that.
 */
export function timeSigner(signer: NoteSigner, now: () => number): NoteSigner {
  return {
    name: signer.name,
    keyId: timeKeyId(signer.verifierKey),
    verifierKey: signer.verifierKey,
    sign: (text) => {
      const seconds = Math.floor(now() / 1000);
      const time = Buffer.alloc(TIME_BYTES);
      time.writeBigUInt64BE(BigInt(seconds));
      return Buffer.concat([time, signer.sign(timedText(text, seconds))]);
    },
  };
}

/** Verifies one note, and keeps the time that it finds. */
export class TimeVerifier implements NoteVerifier {
  readonly name: string;
  /** Milliseconds since the epoch, once a signature was good. */
  signedAt: number | undefined;

  constructor(
    private readonly verifier: NoteVerifier,
    /** {@link timeKeyId} of its verifier key. */
    readonly keyId: number,
  ) {
    this.name = verifier.name;
  }

  verify(text: string, signature: Uint8Array): boolean {
    const bytes = Buffer.from(signature);
    if (bytes.length <= TIME_BYTES) return false;
    const seconds = Number(bytes.readBigUInt64BE());
    const good = this.verifier.verify(timedText(text, seconds), bytes.subarray(TIME_BYTES));
    if (good) this.signedAt = seconds * 1000;
    return good;
  }
}

function timedText(text: string, seconds: number): string {
  return `cosignature/v1\ntime ${seconds}\n${text}`;
}

/** First four bytes of SHA-256(name ‖ "\n" ‖ 0x04 ‖ public key), big-endian. */
export function timeKeyId(verifierKey: string): number {
  const [name = '', , key = ''] = splitKey(verifierKey);
  const publicKey = Buffer.from(key, 'base64').subarray(1);
  return createHash('sha256')
    .update(`${name}\n`)
    .update(Uint8Array.of(COSIGNATURE))
    .update(publicKey)
    .digest()
    .readUInt32BE();
}

/** `name+hash+key`, where the key is base64 and may hold a `+` itself, and the name holds none. */
function splitKey(verifierKey: string): string[] {
  const [name = '', hash = '', ...key] = verifierKey.split('+');
  return [name, hash, key.join('+')];
}
