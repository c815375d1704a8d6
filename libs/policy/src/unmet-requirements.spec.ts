import type { Requirement } from '@sallyport/mcp';
import { hierarchyOf } from './hierarchy.js';
import { compileRequirements, unmetRequirements } from './unmet-requirements.js';

const SCOPES = hierarchyOf({ 'crm:all': ['crm:write'], 'crm:write': ['crm:read'] });
const EITHER: Requirement = { anyOf: ['crm:read', 'mail:read'] };

it.each<[string, Requirement[], string[], Requirement[]]>([
  ['nothing where nothing is asked for', [], [], []],
  ['nothing where all is held', ['crm:read', 'mail:read'], ['mail:read', 'crm:read'], []],
  ['nothing where what is held includes it', ['crm:read', EITHER], ['crm:all'], []],
  ['what is not held, in the order it is asked for', ['b', 'crm:read', 'a'], ['crm:read'], ['b', 'a']],
  ['what only includes what is held', ['crm:write'], ['crm:read'], ['crm:write']],
  ['alternatives of which none is held, together', [EITHER], ['mail:send'], [EITHER]],
  ['everything where nothing is held', ['crm:read', EITHER], [], ['crm:read', EITHER]],
])('Unmet is %s', (_what, asked, held, unmet) => {
  expect(unmetRequirements(asked, held, SCOPES)).toEqual(unmet);
});

it('A requirement knows each of its alternatives, and who grants it', () => {
  const [compiled] = compileRequirements([EITHER], SCOPES);
  expect(compiled).toEqual({
    asked: EITHER,
    grantedBy: new Set(['crm:read', 'crm:all', 'crm:write', 'mail:read']),
    alternatives: [
      { name: 'crm:read', grantedBy: new Set(['crm:read', 'crm:all', 'crm:write']) },
      { name: 'mail:read', grantedBy: new Set(['mail:read']) },
    ],
    text: 'crm:read|mail:read',
  });
});
