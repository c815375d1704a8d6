/** Standard base 64 with padding (RFC 4648 §4). */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/**
 * Reads what {@link encodeBase64} writes, and nothing else: `undefined` for missing padding, other alphabets, white space
 * and bits that are not zero (RFC 4648 §3.5), so that no two texts have the same bytes.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? new Uint8Array(bytes) : undefined;
}
