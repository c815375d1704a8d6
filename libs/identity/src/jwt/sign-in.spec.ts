import { parsePrincipal } from '../principal.schema.js';
import { signInOf } from './sign-in.js';

it.each<[string, object, object]>([
  ['nothing', {}, {}],
  ['a time', { auth_time: 1_700_000_000 }, { authenticatedAt: 1_700_000_000 }],
  ['a time with a fraction, rounded down', { auth_time: 1.9 }, { authenticatedAt: 1 }],
  ['a class', { acr: 'urn:mace:incommon:iap:silver' }, { acr: 'urn:mace:incommon:iap:silver' }],
  ['both', { auth_time: 1, acr: '0' }, { authenticatedAt: 1, acr: '0' }],
  ['no time from a text', { auth_time: '1700000000' }, {}],
  ['no time from before the epoch', { auth_time: -1 }, {}],
  ['no time beyond all numbers', { auth_time: 1e300 }, {}],
  ['no time from null', { auth_time: null }, {}],
  ['no class from a number', { acr: 1 }, {}],
  ['no class from a list', { acr: ['phr'] }, {}],
  ['no class from nothing', { acr: '' }, {}],
  ['no class with a space', { acr: 'a b' }, {}],
  ['no class with a control character', { acr: 'a\n' }, {}],
])('reads %s', (_what, claims, expected) => {
  const read = signInOf({ ...claims });
  expect(read).toEqual(expected);
  const draft = { issuer: 'i', subject: 's', credential: read };
  expect(parsePrincipal(draft, 'jwt')).toMatchObject({
    principal: { credential: { kind: 'jwt', ...expected } },
  });
});

it.each([
  { authenticatedAt: -1 },
  { authenticatedAt: 1.5 },
  { authenticatedAt: 'x' },
  { acr: '' },
  { acr: 1 },
])('does not take %j from a strategy', (credential) => {
  expect(parsePrincipal({ issuer: 'i', subject: 's', credential }, 'own')).toHaveProperty('problem');
});
