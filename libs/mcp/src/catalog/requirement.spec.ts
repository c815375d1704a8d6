import { alternativesOf, namesIn, requirementsText, type Requirement } from './requirement.js';

const EITHER: Requirement = { anyOf: ['email:read', 'email:send'] };

it('A name is met by itself alone, and alternatives by each, in the order they were written', () => {
  expect(alternativesOf('crm:read')).toEqual(['crm:read']);
  expect(alternativesOf(EITHER)).toEqual(['email:read', 'email:send']);
});

it.each<[string, Requirement[], string[], string]>([
  ['nothing', [], [], ''],
  ['a name', ['crm:read'], ['crm:read'], 'crm:read'],
  ['names', ['crm:read', 'a'], ['crm:read', 'a'], 'crm:read a'],
  [
    'alternatives among names',
    ['crm:read', EITHER, 'a'],
    ['crm:read', 'email:read', 'email:send', 'a'],
    'crm:read email:read|email:send a',
  ],
])('A list of %s says its names and prints on one line', (_what, requirements, names, text) => {
  expect(namesIn(requirements)).toEqual(names);
  expect(requirementsText(requirements)).toBe(text);
});
