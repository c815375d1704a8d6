import fc from 'fast-check';
import { cyclicName, hierarchyOf, knownNames, type Inclusions } from './hierarchy.js';

const ROLES: Inclusions = { admin: ['contributor', 'auditor'], contributor: ['reader'], auditor: ['reader'] };

function sorted(names: Iterable<string>): string[] {
  return [...names].toSorted();
}

describe('A hierarchy', () => {
  it.each<[string[], string[]]>([
    [['admin'], ['admin', 'auditor', 'contributor', 'reader']],
    [['contributor'], ['contributor', 'reader']],
    [['reader'], ['reader']],
    [
      ['contributor', 'auditor'],
      ['auditor', 'contributor', 'reader'],
    ],
    [['other'], ['other']],
    [['constructor'], ['constructor']],
    [[], []],
  ])('says that %j grant %j', (names, granted) => {
    expect(sorted(hierarchyOf(ROLES).expand(names))).toEqual(granted);
  });

  it.each<[string, string[]]>([
    ['reader', ['admin', 'auditor', 'contributor', 'reader']],
    ['contributor', ['admin', 'contributor']],
    ['admin', ['admin']],
    ['other', ['other']],
    ['constructor', ['constructor']],
  ])('says that %s is granted by %j', (name, granters) => {
    expect(sorted(new Set(hierarchyOf(ROLES).grantersOf(name)))).toEqual(granters);
  });

  it('ends with names that include each other', () => {
    const turning = hierarchyOf({ a: ['b'], b: ['c'], c: ['a'] });
    expect(sorted(turning.expand(['b']))).toEqual(['a', 'b', 'c']);
    expect(sorted(new Set(turning.grantersOf('b')))).toEqual(['a', 'b', 'c']);
  });

  it('looks at own members alone', () => {
    const inherited: Inclusions = Object.create({ reader: ['admin'] });
    expect(sorted(hierarchyOf(inherited).expand(['reader']))).toEqual(['reader']);
  });
});

it('The names of a hierarchy are those that include and those that are included', () => {
  expect(sorted(knownNames(ROLES))).toEqual(['admin', 'auditor', 'contributor', 'reader']);
});

it.each<[string, Inclusions, string | undefined]>([
  ['no name in a hierarchy', ROLES, undefined],
  ['no name where two ways lead to one', { a: ['b', 'c'], b: ['d'], c: ['d'] }, undefined],
  ['a name that includes itself', { a: ['a'] }, 'a'],
  ['the first of names that include each other', { z: ['a'], a: ['b'], b: ['a'] }, 'a'],
  ['a name that comes back by its second inclusion', { a: ['x', 'b'], b: ['a'] }, 'a'],
])('Finds %s', (_what, inclusions, name) => {
  expect(cyclicName(inclusions)).toBe(name);
});

it('What a name grants and what grants a name are the same relation', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  fc.assert(
    fc.property(fc.dictionary(name, fc.uniqueArray(name)), name, name, (inclusions, one, other) => {
      const hierarchy = hierarchyOf(inclusions);
      expect(hierarchy.grantersOf(other).includes(one)).toBe(hierarchy.expand([one]).has(other));
    }),
  );
});
