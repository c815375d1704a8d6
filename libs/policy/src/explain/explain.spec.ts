import type { Entry, EntryPolicy, McpCall, Principal, RefusedCall, Verdict } from '@sallyport/mcp';
import { decide } from '../decide.js';
import { lockOf } from '../lock/policy-lock.js';
import { compilePolicy, DEFAULT_POLICY, type PolicyOptions } from '../policy.js';
import { explanationOf, explanationText } from './explanation.js';
import { matrixText } from './matrix-text.js';
import { policyMatrix } from './policy-matrix.js';

const OPTIONS: PolicyOptions = {
  ...DEFAULT_POLICY,
  roles: { admin: ['contributor'], contributor: ['reader'] },
  scopes: { 'crm:write': ['crm:read'] },
};
const POLICY: EntryPolicy = {
  public: false,
  scopes: ['crm:read'],
  roles: ['reader'],
  risk: 'read',
  tenancy: 'required',
  when: [],
};
const LENA: Principal = {
  kind: 'user',
  issuer: 'https://id.example',
  subject: 'lena',
  actors: [],
  tenant: 'acme',
  scopes: ['crm:read'],
  roles: ['reader'],
  credential: { kind: 'jwt' },
  claims: {},
};

function entry(policy: Partial<EntryPolicy> = {}, rest: Partial<Entry> = {}): Entry {
  const name = rest.name ?? 'open';
  return {
    kind: 'tool',
    name,
    policy: { ...POLICY, ...policy },
    auditFields: [],
    source: 'Tools.open',
    digest: '',
    ...rest,
  };
}

const REFUSAL = { reason: 'unknown', status: 200, code: -32602, message: 'There is no such tool.' } as const;

/** What the gate would make of the decision. */
function verdict(
  asked: Entry | undefined,
  principal: Principal | undefined,
  refused: Partial<RefusedCall> = {},
): Verdict {
  const policy = compilePolicy(OPTIONS, asked === undefined ? [] : [asked]);
  const decision = decide(policy, principal, {
    entry: asked,
    now: 0,
    arguments: { customer: { tenant: 'globex' } },
  });
  const call = { target: asked?.uri ?? asked?.name ?? 'nothing', entry: asked, principal } as McpCall;
  if (decision.effect === 'permit' && refused.reason === undefined)
    return { kind: 'permitted', call, decision };
  const reason = decision.effect === 'refuse' ? decision.reason : 'approval_required';
  return { kind: 'refused', call, decision, reason, refusal: REFUSAL, ...refused };
}

function explained(
  asked: Entry | undefined,
  principal: Principal | undefined,
  refused: Partial<RefusedCall> = {},
) {
  const policy = compilePolicy(OPTIONS, asked === undefined ? [] : [asked]);
  return explanationOf(verdict(asked, principal, refused), policy);
}

describe('an explanation', () => {
  it('of a permit says every check and asks for nothing', () => {
    expect(explained(entry(), LENA)).toMatchObject({
      effect: 'permit',
      reason: undefined,
      told: undefined,
      helps: [],
    });
  });

  it.each<[string, Entry | undefined, Principal | undefined, string[]]>([
    ['an entry', undefined, LENA, ['Correct the name or URI: sallyport policy lists every entry.']],
    [
      'a credential and an entry',
      undefined,
      undefined,
      [
        'Sign in: send an access token or a key of this server.',
        'Correct the name or URI: sallyport policy lists every entry.',
      ],
    ],
    ['a credential', entry(), undefined, ['Sign in: send an access token or a key of this server.']],
    [
      'a tenant',
      entry(),
      { ...LENA, tenant: undefined } as unknown as Principal,
      ['The credential has to name the tenant of its holder.'],
    ],
    [
      'the own tenant',
      entry({ tenancy: { argument: ['customer.tenant'] } }),
      LENA,
      ['customer.tenant has to name the tenant of the caller, acme.'],
    ],
    [
      'a role, with those that include it',
      entry({ roles: ['contributor'] }),
      LENA,
      ['The organization has to give contributor (or admin).'],
    ],
    [
      'one of several roles',
      entry({ roles: [{ anyOf: ['admin', 'auditor'] }] }),
      LENA,
      ['The organization has to give (admin or auditor).'],
    ],
    [
      'scopes, with those that include them',
      entry({ scopes: ['crm:read', 'email:read'] }),
      { ...LENA, scopes: [] },
      ['The user has to consent to crm:read (or crm:write) and email:read.'],
    ],
    [
      'a sign-in',
      entry({ freshness: { maxAge: 60, acr: ['gold'] } }),
      { ...LENA, credential: { kind: 'jwt', authenticatedAt: -3600, acr: 'silver' } },
      ['Sign in again with acr gold, and call within 60 seconds.'],
    ],
    [
      'a token that says when its user signed in',
      entry({ freshness: { maxAge: 60 } }),
      LENA,
      ['Sign in again, and call within 60 seconds: the new token has to have auth_time.'],
    ],
    [
      'a token that says how its user signed in',
      entry({ freshness: { acr: ['gold'] } }),
      LENA,
      ['Sign in again with acr gold: the new token has to have acr.'],
    ],
    [
      'a person instead of an API key',
      entry({ freshness: { maxAge: 60, acr: ['gold'] } }),
      { ...LENA, kind: 'api-key' },
      [
        'An API key never signs in: a person has to make this call, signed in with acr gold no longer than 60 seconds ago.',
      ],
    ],
    [
      'a person instead of a local process',
      entry({ freshness: { maxAge: 60 } }),
      { ...LENA, kind: 'process' },
      [
        'A local process never signs in: a person has to make this call, signed in no longer than 60 seconds ago.',
      ],
    ],
    [
      'a person instead of a client',
      entry({ freshness: { acr: ['gold', 'silver'] } }),
      { ...LENA, kind: 'client' },
      [
        'A client by itself never signs in: a person has to make this call, signed in with acr gold or silver.',
      ],
    ],
    ['a rule', entry({ when: ['OwnOnly'] }), LENA, ['The rule has to permit it. OwnOnly: was not asked.']],
    ['an approval', entry({ risk: 'external' }), LENA, ['A person has to approve this call.']],
    [
      'several things at once',
      entry({ roles: ['admin'], scopes: ['email:read'], risk: 'destructive' }),
      LENA,
      [
        'The organization has to give admin.',
        'The user has to consent to email:read.',
        'A person has to approve this call.',
      ],
    ],
  ])('names %s that would help', (_what, asked, principal, helps) => {
    expect(explained(asked, principal).helps).toEqual(helps);
  });

  it.each<[Partial<RefusedCall>, RegExp]>([
    [{ reason: 'revoked' }, /sallyport revocations/],
    [
      { reason: 'invalid_arguments', refusal: { ...REFUSAL, issues: ['recordId: expected a string'] } },
      /recordId: expected a string/,
    ],
    [{ reason: 'roles_unavailable' }, /directory of roles/],
    [{ reason: 'decision_failed' }, /log of the server/],
    [{ reason: 'revocations_unavailable' }, /store of revocations/],
  ])('refuses although every check passed, and says why: %j', (refused, help) => {
    const explanation = explained(entry(), LENA, refused);
    expect(explanation.effect).toBe('refuse');
    expect(explanation.helps).toEqual([expect.stringMatching(help)]);
  });

  it('refuses wrong arguments of what would wait for a person, and names both', () => {
    const refusal = { ...REFUSAL, reason: 'invalid_arguments', issues: ['to: expected a string'] } as const;
    const explanation = explained(entry({ risk: 'external' }), LENA, {
      reason: 'invalid_arguments',
      refusal,
    });
    expect(explanation).toMatchObject({ effect: 'refuse', reason: 'invalid_arguments' });
    expect(explanation.helps).toEqual([
      'Correct the arguments. to: expected a string.',
      'A person has to approve this call.',
    ]);
  });

  it('holds what waits for a person', () => {
    expect(explained(entry({ risk: 'external' }), LENA)).toMatchObject({
      effect: 'hold',
      reason: 'approval_required',
    });
  });

  it('reads from the decision to what would help', () => {
    const refusal = {
      ...REFUSAL,
      reason: 'insufficient_scope',
      status: 403,
      challenge: { scopes: ['crm:read'] },
    } as const;
    const lines = explanationText(explained(entry(), { ...LENA, scopes: [] }, { refusal })).split('\n');
    expect(lines.slice(0, -1)).toEqual([
      'REFUSE  tool open  for insufficient_scope',
      '',
      'checks',
      '  ok      entry           tool "open"',
      '  ok      authentication  user of https://id.example',
      '  ok      tenant          tenant acme',
      '  ok      role            asks for reader; held',
      '  ok      rule            none is asked',
      '  ok      freshness       none is asked for',
      '  FAILED  scopes          asks for crm:read; missing crm:read',
      '  ok      risk            read',
      '',
      'the caller is told',
      '  HTTP 403 insufficient_scope (challenged for crm:read): There is no such tool.',
      '',
      'what would help',
      '  The user has to consent to crm:read (or crm:write).',
      '',
    ]);
    expect(lines.at(-1)).toMatch(/^policy version [0-9a-f]{64}$/);
  });
});

describe('a matrix', () => {
  const entries = [
    entry(),
    entry(
      {
        roles: ['admin'],
        scopes: ['crm:write'],
        risk: 'destructive',
        freshness: { maxAge: 1, acr: ['gold'] },
      },
      { name: 'delete' },
    ),
    entry({ roles: [], when: ['OwnOnly'], tenancy: { argument: ['a.b'] } }, { name: 'ruled' }),
    entry({ public: true, roles: [], scopes: [], tenancy: 'none' }, { kind: 'resource', name: 'page' }),
  ];
  const matrix = policyMatrix(lockOf({ entries, policy: OPTIONS }));

  it('says what each role reaches with everything else', () => {
    expect(matrix.roles.columns).toEqual(['(signed out)', '(none)', 'admin', 'contributor', 'reader']);
    expect(
      matrix.roles.rows.map(({ name, cells, ruled }) => [
        name,
        cells.map(([letter]) => letter).join(''),
        ruled,
      ]),
    ).toEqual([
      ['page', 'ppppp', false],
      ['delete', 'rrhrr', false],
      ['open', 'rrppp', false],
      ['ruled', 'rpppp', true],
    ]);
  });

  it('says what each scope reaches with everything else', () => {
    expect(matrix.scopes.columns).toEqual(['(none)', 'crm:read', 'crm:write']);
    expect(
      matrix.scopes.rows.map(({ name, cells }) => [name, cells.map(([letter]) => letter).join('')]),
    ).toEqual([
      ['page', 'ppp'],
      ['delete', 'rrh'],
      ['open', 'rpp'],
      ['ruled', 'rpp'],
    ]);
  });

  it('hides the public, too, where everybody has to sign in', () => {
    const { roles } = policyMatrix(lockOf({ entries, policy: { ...OPTIONS, anonymous: 'refuse' } }));
    expect(roles.rows.every(({ cells }) => cells[0] === 'refuse')).toBe(true);
  });

  it('is no wider than 100 characters, however many scopes there are, and leaves none out', () => {
    const scopes = Object.fromEntries(
      Array.from({ length: 30 }, (_, at) => [`some-application:scope-${at}`, []]),
    );
    const wide = matrixText(policyMatrix(lockOf({ entries, policy: { ...OPTIONS, scopes } })));
    expect(
      Math.max(
        ...wide
          .split('\n')
          .slice(2)
          .map(({ length }) => length),
      ),
    ).toBeLessThanOrEqual(100);
    for (const scope of Object.keys(scopes)) expect(wide).toContain(scope);
  });
});
