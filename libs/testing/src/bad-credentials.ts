import { createHmac } from 'node:crypto';
import type { CredentialRequest } from 'sallyport';
import {
  headerValue,
  readHeader,
  type CredentialHeader,
  type CredentialHeaders,
} from './credential-headers.js';

/** A credential that must authenticate nobody. `what` never quotes the good one it was made from. */
export interface BadCredential {
  readonly kind: string;
  readonly what: string;
  readonly headers: CredentialRequest['headers'];
}

type Variant = readonly [what: string, secret: string];
type Variation = readonly [what: string, value: string | string[]];

/** Node takes 16 KiB of headers by default; servers behind a larger limit, and stdio, may see this much. */
const OVER_LONG = 65_536;
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** What careless look-ups, parsers and queries stumble over. */
const GARBAGE = [
  'x',
  '0',
  'null',
  'undefined',
  'true',
  '{}',
  '..',
  'a.b.c',
  'e30.e30.e30',
  '__proto__',
  'constructor',
  '[object Object]',
  '*',
  '%00',
  "' OR '1'='1",
  '../../../../etc/passwd',
];

/** What is tried in place of the secret, by the kind of harm done to it. */
const OF_THE_SECRET: Readonly<Record<string, (secret: string) => readonly Variant[]>> = {
  'an empty credential': () => [
    ['nothing', ''],
    ['a blank', ' '],
  ],
  garbage: () => GARBAGE.map((text) => [JSON.stringify(text), text]),
  'a truncated credential': (secret) => [
    ['the good one without its last character', secret.slice(0, -1)],
    ['the good one without its first character', secret.slice(1)],
    ['the first half of the good one', secret.slice(0, secret.length / 2)],
  ],
  'a credential with a changed character': changedCharacters,
  'a doubled credential': (secret) => [
    ['the good one twice', secret + secret],
    ['the good one twice, with a blank', `${secret} ${secret}`],
    ['the good one twice, with a comma', `${secret}, ${secret}`],
  ],
  'an over-long credential': (secret) => [
    ['the good one with 64 KiB behind it', secret + 'A'.repeat(OVER_LONG)],
    ['64 KiB of one letter', 'A'.repeat(OVER_LONG)],
    ['64 KiB of dots and letters', 'a.'.repeat(OVER_LONG / 2)],
  ],
  'control characters': (secret) => [
    ['the good one with NUL behind it', `${secret}\0`],
    ['the good one with NUL and more behind it', `${secret}\0admin`],
    ['the good one with a line break in it', insert(secret, '\r\n')],
    ['the good one with DEL in it', insert(secret, '\x7F')],
  ],
  'a forged token': forgedTokens,
};

/** What is tried in place of the whole header. */
const OF_THE_HEADER: Readonly<Record<string, (header: CredentialHeader) => readonly Variation[]>> = {
  'a repeated header': ({ scheme, secret }) => {
    const value = headerValue(scheme, secret);
    return [
      ['the good one, its header given twice', [value, value]],
      ['the good one beside another', [value, headerValue(scheme, 'x')]],
    ];
  },
  'another scheme': ({ scheme, secret }) =>
    ['Basic', 'Digest', 'DPoP', 'Bearer', undefined]
      .filter((other) => other?.toLowerCase() !== scheme?.toLowerCase())
      .map((other) => [
        `the good one ${other ? `as ${other}` : 'without a scheme'}`,
        headerValue(other, secret),
      ]),
};

/** Each kind of bad credential that is made from a good one. */
export const BAD_KINDS: readonly string[] = [...Object.keys(OF_THE_SECRET), ...Object.keys(OF_THE_HEADER)];

/** Everything that must authenticate nobody and can be made from this good credential, header by header. */
export function badCredentials(good: CredentialHeaders): BadCredential[] {
  return Object.entries(good).flatMap(([name, value]) => {
    const header = readHeader(name, value);
    return [...ofTheSecret(header), ...ofTheHeader(header)]
      .filter((bad) => bad.value !== value)
      .map(({ kind, what, value }) => ({ kind, what, headers: { ...good, [name]: value } }));
  });
}

function ofTheSecret({ scheme, secret }: CredentialHeader) {
  return Object.entries(OF_THE_SECRET).flatMap(([kind, vary]) =>
    vary(secret).map(([what, changed]) => ({ kind, what, value: headerValue(scheme, changed) })),
  );
}

function ofTheHeader(header: CredentialHeader) {
  return Object.entries(OF_THE_HEADER).flatMap(([kind, vary]) =>
    vary(header).map(([what, value]) => ({ kind, what, value })),
  );
}

function insert(secret: string, text: string): string {
  const middle = Math.ceil(secret.length / 2);
  return secret.slice(0, middle) + text + secret.slice(middle);
}

function changedCharacters(secret: string): Variant[] {
  return spots(secret).map((at) => [
    `the good one with character ${at + 1} of ${secret.length} changed`,
    secret.slice(0, at) + anotherFor(secret.charAt(at)) + secret.slice(at + 1),
  ]);
}

/** First, last and three between, of each part: a JWT has three parts, and each must count. */
function spots(secret: string): number[] {
  const found = new Set<number>();
  let start = 0;
  for (const { length } of secret.split('.')) {
    const shares = length === 0 ? [] : [0, 0.25, 0.5, 0.75, 1];
    for (const share of shares) found.add(start + Math.floor((length - 1) * share));
    start += length + 1;
  }
  return [...found];
}

/** Another character whose highest bit differs: the lowest bits of a last one may mean nothing (RFC 4648 §3.5). */
function anotherFor(character: string): string {
  const index = BASE64URL.indexOf(character);
  return index < 0 ? 'A' : BASE64URL.charAt(index ^ 32);
}

/** What RFC 8725 §2 warns of, with what the good token says. None, when it is no JWT. */
function forgedTokens(secret: string): Variant[] {
  const [header, payload, signature, ...rest] = secret.split('.');
  const claims = decodeObject(payload);
  if (decodeObject(header) === undefined || claims === undefined || rest.length > 0) return [];
  const keyed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${payload}`;
  return [
    ['the good one, unsigned', `${encode({ alg: 'none' })}.${payload}.`],
    ['the good one, unsigned, under its old signature', `${encode({ alg: 'None' })}.${payload}.${signature}`],
    ['the good one, its signature left out', `${header}.${payload}.`],
    ['the good one, signed with an empty secret', `${keyed}.${hmac('', keyed)}`],
    [
      'another subject under the signature of the good one',
      `${header}.${encode({ ...claims, sub: 'somebody-else' })}.${signature}`,
    ],
  ];
}

function hmac(secret: string, text: string): string {
  return createHmac('sha256', secret).update(text).digest('base64url');
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decodeObject(part: string | undefined): object | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part ?? '', 'base64url').toString());
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
