import type { Decision, RefusalReason } from '@sallyport/mcp';
import { isVisible } from './is-visible.js';

const DECIDED = { checks: [], policyVersion: '' };

function refused(reason: RefusalReason): Decision {
  return { effect: 'refuse', reason, scopes: [], ...DECIDED };
}

it.each<['permit' | 'hold']>([['permit'], ['hold']])('What a call would %s is listed', (effect) => {
  expect(isVisible({ effect, ...DECIDED }, 'consentable')).toBe(true);
  expect(isVisible({ effect, ...DECIDED }, 'granted')).toBe(true);
});

it.each<[RefusalReason]>([['insufficient_scope'], ['insufficient_user_authentication']])(
  'What is challenged for %s is listed, unless what is granted alone is',
  (reason) => {
    expect(isVisible(refused(reason), 'consentable')).toBe(true);
    expect(isVisible(refused(reason), 'granted')).toBe(false);
  },
);

it.each<[RefusalReason]>([
  ['unknown_entry'],
  ['authentication_required'],
  ['tenant'],
  ['role'],
  ['rule'],
  ['revoked'],
  ['roles_unavailable'],
  ['revocations_unavailable'],
  ['decision_failed'],
])('What is refused for %s is never listed', (reason) => {
  expect(isVisible(refused(reason), 'consentable')).toBe(false);
  expect(isVisible(refused(reason), 'granted')).toBe(false);
});
