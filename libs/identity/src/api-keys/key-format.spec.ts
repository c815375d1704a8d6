import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { isKeyId, newKey, parseKey } from './key-format.js';

const environment = fc.stringMatching(/^[a-z][a-z0-9]{0,15}$/);

describe('a key', () => {
  it('is read as it was made', () => {
    fc.assert(
      fc.property(environment, (name) => {
        const key = newKey(name);
        expect(parseKey(key.text)).toEqual(key);
        expect(key.text).toMatch(/^sp_[a-z0-9]+_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}$/);
        expect(isKeyId(key.id)).toBe(true);
      }),
    );
  });

  it('is none with one character changed, left out or added', () => {
    fc.assert(
      fc.property(fc.nat(), fc.string({ minLength: 1, maxLength: 1 }), (place, character) => {
        const { text } = newKey('live');
        const at = place % text.length;
        const [before, after] = [text.slice(0, at), text.slice(at + 1)];
        if (text[at] !== character) expect(parseKey(before + character + after)).toBeUndefined();
        expect(parseKey(before + after)).toBeUndefined();
        expect(parseKey(before + character + text.slice(at))).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  it('is none whatever else is read', () => {
    const parts = fc.tuple(environment, fc.string(), fc.string());
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      parts.map((all) => `sp_${all.join('_')}`),
    );
    fc.assert(
      fc.property(texts, (text) => expect(parseKey(text)).toBeUndefined()),
      { numRuns: 500 },
    );
  });

  it.each(['\n', ' ', '\0', '='])('is none with %j behind it', (more) => {
    expect(parseKey(newKey('live').text + more)).toBeUndefined();
  });

  it('is a new one every time, from the whole alphabet', () => {
    const keys = Array.from({ length: 500 }, () => newKey('live'));
    expect(new Set(keys.map(({ id }) => id)).size).toBe(500);
    const secrets = keys.map(({ text }) => text.slice(-49, -6)).join('');
    expect(new Set(secrets).size).toBe(62);
  });

  it('has the checksum of a known one, so that scanners elsewhere can rely on it', () => {
    const body = `sp_live_${'A'.repeat(16)}_${'b'.repeat(43)}`;
    expect(parseKey(`${body}2FQbQC`)).toBeUndefined();
    expect(parseKey(`${body}${CHECKSUM}`)).toMatchObject({ environment: 'live', id: 'A'.repeat(16) });
  });
});

const CHECKSUM = '2hvbfP';

describe('the rules for secret scanners', () => {
  const rules = readFileSync(new URL('../../secret-scanning/gitleaks.toml', import.meta.url), 'utf8');
  const pattern = /regex = '''(.+)'''/.exec(rules)?.[1] ?? '';

  it('find a key in whatever stands around it', () => {
    const rule = new RegExp(pattern);
    for (const surroundings of ['@', '"@"', 'KEY=@\n', 'Authorization: Bearer @', '{"key":"@"}', '(@)']) {
      const { text } = newKey('live');
      expect(rule.exec(surroundings.replace('@', text))?.[1]).toBe(text);
    }
  });

  it('find nothing in what is none', () => {
    for (const text of [
      'sp_live_',
      'sp_live_abc_def',
      newKey('live').text.slice(0, -1),
      `x${newKey('live').text}`,
    ])
      expect(new RegExp(pattern).test(text)).toBe(false);
  });
});
