import crypto from 'node:crypto';
import { newKey } from './key-format.js';
import { KeyHasher } from './key-hash.js';

const one = { version: '1', secret: 'the-first-pepper-that-there-ever-was' };
const two = { version: '2', secret: 'the-second-pepper-of-this-very-server' };
const { text } = newKey('live');

describe('the hash of a key', () => {
  it('matches that key and no other', () => {
    const hasher = new KeyHasher([one]);
    const known = hasher.hash(text);
    expect(known).toEqual({ hash: expect.stringMatching(/^[0-9a-f]{64}$/), pepper: '1' });
    expect(hasher.matches(text, known)).toBe(true);
    expect(hasher.matches(newKey('live').text, known)).toBe(false);
    expect(hasher.matches(text, new KeyHasher([two]).hash(text))).toBe(false);
  });

  it('is made with the newest pepper and compared with its own', () => {
    const known = new KeyHasher([one]).hash(text);
    const rotated = new KeyHasher([two, one]);
    expect(rotated.matches(text, known)).toBe(true);
    expect(rotated.hash(text).pepper).toBe('2');
    expect(new KeyHasher([two]).matches(text, known)).toBe(false);
  });

  it('says nothing of the key without the pepper', () => {
    const { hash } = new KeyHasher([one]).hash(text);
    expect(crypto.createHash('sha256').update(text).digest('hex')).not.toBe(hash);
    expect(new KeyHasher([{ ...one, secret: two.secret }]).hash(text).hash).not.toBe(hash);
  });

  it.each([
    ['is not there', undefined],
    ['is empty', { hash: '', pepper: '1' }],
    ['is short', { hash: 'abcd', pepper: '1' }],
    ['is no hexadecimal', { hash: 'z'.repeat(64), pepper: '1' }],
    ['is all zeros', { hash: '0'.repeat(64), pepper: '1' }],
    ['has a pepper that is gone', { ...new KeyHasher([two]).hash(text), pepper: '0' }],
  ])('matches nothing when it %s', (_what, known) => {
    expect(new KeyHasher([one]).matches(text, known)).toBe(false);
  });
});
