import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 95 bits: no two keys share an id. */
const ID_LENGTH = 16;
/** 256 bits. */
const SECRET_LENGTH = 43;
/** 62^6 is more than the 2^32 of a CRC. */
const CHECKSUM_LENGTH = 6;

/** What every key begins with, whatever its environment. */
export const KEY_PREFIX = 'sp_';
/** What an environment may be called: it stands in every key. */
export const ENVIRONMENT = /^[a-z][a-z0-9]{0,15}$/;

const KEY = /^(sp_([a-z][a-z0-9]{0,15})_([0-9A-Za-z]{16})_[0-9A-Za-z]{43})([0-9A-Za-z]{6})$/;
const KEY_ID = /^[0-9A-Za-z]{16}$/;

/** A well-formed key: not yet one that exists. */
export interface ApiKey {
  readonly environment: string;
  /** Public: names the key in lists, records and logs. */
  readonly id: string;
  /** The whole key. Secret. */
  readonly text: string;
}

/**
 * A new key, `sp_<environment>_<id>_<secret><checksum>`: 256 random bits, and a checksum by which a scanner tells a key
 * from what only looks like one.
 */
export function newKey(environment: string): ApiKey {
  const id = randomText(ID_LENGTH);
  const body = `${KEY_PREFIX}${environment}_${id}_${randomText(SECRET_LENGTH)}`;
  return { environment, id, text: body + checksumOf(body) };
}

/** The key, when the text has its prefix, alphabet, length and checksum. There is one spelling of a key. */
export function parseKey(text: string): ApiKey | undefined {
  const [, body, environment, id, checksum] = KEY.exec(text) ?? [];
  if (body === undefined || environment === undefined || id === undefined) return undefined;
  return checksum === checksumOf(body) ? { environment, id, text } : undefined;
}

/** Whether a text could be the id of a key. */
export function isKeyId(text: string): boolean {
  return KEY_ID.test(text);
}

/** CRC-32, in base 62: finds slips, proves nothing. */
function checksumOf(body: string): string {
  let rest = crc32(body);
  let digits = '';
  for (let place = 0; place < CHECKSUM_LENGTH; place += 1) {
    digits = ALPHABET.charAt(rest % 62) + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}

/** Every character from the system's generator, none more likely than another. */
function randomText(length: number): string {
  return Array.from({ length }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
}
