import { createHmac, hkdfSync } from 'node:crypto';

import { PersonKey } from './person-key.js';

const SECRET = Buffer.alloc(32, 7);
const key = new PersonKey('somebody', SECRET);

describe('PersonKey', () => {
  it('hashes the domain, a line feed and the canonical form by HMAC-SHA-256, under a key derived for that', () => {
    const derived = Buffer.from(hkdfSync('sha256', SECRET, 'sallyport-audit/v1', 'hash', 32));
    const expected = createHmac('sha256', derived).update('domain\n{"a":"ä","b":[1]}', 'utf8').digest('hex');
    expect(key.hash('domain', { b: [1], a: 'ä' })).toBe(expected);
  });

  it.each([
    ['nothing', {}],
    ['a name', { subject: 'priya' }],
    ['a name of several bytes a character', { subject: '普里亚'.repeat(40) }],
    ['what fills a block exactly', { subject: 'x'.repeat(128 - '{"subject":""}'.length) }],
    ['a lone surrogate', { subject: '\ud800' }],
  ])('opens what it sealed, which fills whole blocks: %s', (_, content) => {
    const sealed = key.seal('here', content);
    // The nonce stands before, and the tag behind.
    expect((Buffer.from(sealed, 'base64url').length - 12 - 16) % 128).toBe(0);
    expect(key.open('here', sealed)).toEqual(content);
    expect(() => key.open('elsewhere', sealed)).toThrow();
  });

  it('never uses a nonce twice', () => {
    const nonces = Array.from({ length: 1000 }, () =>
      Buffer.from(key.seal('here', {}), 'base64url').toString('hex', 0, 12),
    );
    expect(new Set(nonces).size).toBe(1000);
  });
});
