import { randomBytes } from 'node:crypto';

import fc from 'fast-check';

import { PersonKey } from './person-key.js';
import { unknownName } from './unknown-name.js';

const key = new PersonKey('one', randomBytes(32));
const HASH = /^~[0-9a-f]{24}$/;

describe('The name of an entry that does not exist', () => {
  it.each(['crm_open_record', 'files/read.v2', 'admin:drop-tables', 'x'])(
    'stands as it is when it looks like one: %s',
    (name) => {
      expect(unknownName('tool', name, key)).toBe(name);
    },
  );

  it.each([
    ['a token', 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl0123456789abcdef'],
    ['an API key', 'sp_live_0123456789abcdef_0123456789abcdefghijklmnopqrstuvwxyz0123456'],
    ['random letters and digits', 'wJalrXUtnFEMI7K7MDENGbPxRfiCY'],
    ['the id of a cloud key', 'AKIAIOSFODNN7EXAMPLE'],
    ['the secret of a cloud key', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'],
    ['a token of a forge', 'ghp_abcdefghijklmnopqrstuvwxyzABCDEF'],
    ['the same in small letters', 'ghp_abcdefghijklmnopqrstuvwxyzabcdef'],
    ['a short key', 'key-3ax6xnjp29jd6f'],
    ['a UUID', 'f47ac10b-58cc-4372-a567-0e02b2c3d479'],
    ['a password with a number in it', 'xkcdTr0ub4dor'],
    ['words without an end', 'correcthorsebatterystaple'],
    ['capitals', 'listCustomerRecords'],
    ['hexadecimal', 'c0ffee00c0ffee00c0ffee00c0ffee00'],
    ['a sentence', 'open the record of priya'],
    ['a formula', '=HYPERLINK("https://evil.example")'],
    ['an address', 'priya@acme.example'],
    ['nothing', ''],
    ['a lone surrogate', 'a\ud800'],
    ['a line break', 'a\nb'],
    ['something long', 'x_'.repeat(40)],
  ])('is a hash when it is %s', (_, target) => {
    expect(unknownName('prompt', target, key)).toMatch(HASH);
  });

  it('has one hash for one person, and another for another', () => {
    const [first, again] = [unknownName('tool', 'a b', key), unknownName('tool', 'a b', key)];
    expect(again).toBe(first);
    expect(unknownName('tool', 'a b', new PersonKey('two', randomBytes(32)))).not.toBe(first);
  });

  it('is nothing but the scheme of a resource', () => {
    expect(unknownName('resource', 'crm://records/priya', key)).toBe('crm:(no such resource)');
    expect(unknownName('resource', 'priya', key)).toBe('(no such resource)');
  });

  it.each(['akiaiosfodnn7example:foo', 'f47ac10b-58cc-4372-a567-0e02b2c3:x', 'AKIAIOSFODNN7EXAMPLE:x'])(
    'does not take %s for a scheme',
    (uri) => {
      expect(unknownName('resource', uri, key)).toMatch(/^~[0-9a-f]{24}:\(no such resource\)$/);
    },
  );

  it('does not take a scheme for a name', () => {
    expect(unknownName('tool', 'crm:', key)).toMatch(HASH);
  });

  it('is bounded and plain, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (target) => {
        expect(unknownName('tool', target, key)).toMatch(/^(?:~[0-9a-f]{24}|[a-z][a-z0-9_./:-]{0,63})$/);
      }),
    );
  });
});
