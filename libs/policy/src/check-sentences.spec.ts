import type { Check, CheckName, Entry, EntryPolicy, Principal } from '@sallyport/mcp';
import { decide, type Question, type RuleOutcome } from './decide.js';
import { compilePolicy, DEFAULT_POLICY } from './policy.js';

/** Seconds since the epoch. */
const NOW = 1_800_000_000;
const policy = compilePolicy({ ...DEFAULT_POLICY, roles: { admin: ['member'] } }, []);

const LENA: Principal = {
  kind: 'user',
  issuer: 'https://idp.example',
  subject: 'lena',
  actors: [],
  tenant: 'acme',
  scopes: ['crm:read', 'crm:list'],
  roles: ['member', 'auditor'],
  credential: { kind: 'jwt', authenticatedAt: NOW - 100, acr: 'pwd' },
  claims: {},
};

function entryWith(changes: Partial<EntryPolicy>): Entry {
  const base: EntryPolicy = {
    public: false,
    scopes: [],
    roles: [],
    risk: 'read',
    tenancy: 'none',
    when: [],
  };
  return {
    kind: 'tool',
    name: 'open',
    policy: { ...base, ...changes },
    auditFields: [],
    source: 'Spec',
    digest: '0',
  };
}

interface Asked {
  readonly entry?: Partial<EntryPolicy>;
  readonly caller?: Partial<Principal>;
  readonly question?: Partial<Question>;
}

function checksOf({ entry = {}, caller = {}, question = {} }: Asked, name: CheckName): Check[] {
  const asked: Question = { entry: entryWith(entry), now: NOW * 1000, ...question };
  return decide(policy, { ...LENA, ...caller }, asked).checks.filter((check) => check.name === name);
}

const passes = (detail: string) => [{ passed: true, detail }];
const fails = (detail: string) => [{ passed: false, detail }];

function answers(...given: [string, RuleOutcome][]): Partial<Question> {
  return { arguments: {}, rules: new Map(given) };
}

const BOUND: Partial<EntryPolicy> = { tenancy: { argument: ['customer', 'payer'] } };
const FRESH: Partial<EntryPolicy> = { freshness: { maxAge: 60 } };
const STRONG: Partial<EntryPolicy> = { freshness: { acr: ['phrh', 'phr'] } };
const RULED: Partial<EntryPolicy> = { when: ['Own', 'Open'] };

type Case = [CheckName, string, Asked, object[]];

/** What a reviewer reads in an explanation and in the audit record. */
describe.each<[string, Case[]]>([
  [
    'who calls what',
    [
      ['entry', 'names the entry', {}, passes('tool "open"')],
      ['authentication', 'names the issuer', {}, passes('user of https://idp.example')],
      [
        'authentication',
        'says that none is needed',
        { entry: { public: true } },
        passes('public: none is needed'),
      ],
    ],
  ],
  [
    'the tenant',
    [
      ['tenant', 'says when none is asked for', {}, passes('none is asked for')],
      ['tenant', 'names that of the caller', { entry: { tenancy: 'required' } }, passes('tenant acme')],
      [
        'tenant',
        'says that there is none',
        { entry: { tenancy: 'required' }, caller: { tenant: undefined } },
        fails('the principal belongs to no tenant'),
      ],
      [
        'tenant',
        'says what waits for arguments',
        { entry: BOUND },
        passes('tenant acme; customer and payer is compared later'),
      ],
      [
        'tenant',
        'says which arguments name it',
        { entry: BOUND, question: { arguments: { customer: 'acme', payer: 'acme' } } },
        passes('tenant acme, which customer and payer names'),
      ],
      [
        'tenant',
        'says which argument names another, and not which other',
        { entry: BOUND, question: { arguments: { customer: 'acme', payer: 'globex' } } },
        fails("the argument payer does not name the caller's tenant acme"),
      ],
    ],
  ],
  [
    'the role',
    [
      ['role', 'says when none is asked for', {}, passes('none is asked for')],
      [
        'role',
        'names what is asked for',
        { entry: { roles: ['member', { anyOf: ['admin', 'auditor'] }] } },
        passes('asks for member admin|auditor; held'),
      ],
      [
        'role',
        'names what is asked for and what is held',
        { entry: { roles: ['admin', 'member'] } },
        fails('asks for admin member; the principal holds member, auditor'),
      ],
      [
        'role',
        'says when none is held',
        { entry: { roles: ['member'] }, caller: { roles: [] } },
        fails('asks for member; the principal holds none'),
      ],
    ],
  ],
  [
    'the rules',
    [
      ['rule', 'says when none is asked', {}, passes('none is asked')],
      [
        'rule',
        'says what each rule answered',
        {
          entry: RULED,
          question: answers(
            ['Own', { permits: true, detail: 'permits' }],
            ['Open', { permits: false, detail: 'refuses, it is closed' }],
          ),
        },
        [...passes('Own: permits'), ...fails('Open: refuses, it is closed')],
      ],
      [
        'rule',
        'says what was not asked',
        { entry: RULED, question: answers(['Own', { permits: true, detail: 'permits' }]) },
        [...passes('Own: permits'), ...fails('Open: was not asked')],
      ],
      [
        'rule',
        'says what waits until nothing else refuses',
        { entry: { ...RULED, roles: ['admin'] }, question: { arguments: {} } },
        [
          ...passes('Own: asked when nothing else refuses'),
          ...passes('Open: asked when nothing else refuses'),
        ],
      ],
    ],
  ],
  [
    'the sign-in',
    [
      ['freshness', 'says when none is asked for', {}, passes('none is asked for')],
      [
        'freshness',
        'says that it is as asked for',
        { entry: { freshness: { maxAge: 100 } } },
        passes('the sign-in is as asked for'),
      ],
      [
        'freshness',
        'says how old it is, and how old it may be',
        { entry: FRESH },
        fails('asks for a sign-in within 60 seconds; it was 100 seconds ago'),
      ],
      [
        'freshness',
        'says that nobody dated it',
        { entry: FRESH, caller: { credential: { kind: 'api-key' } } },
        fails('the credential does not say when its user signed in'),
      ],
      [
        'freshness',
        'says that it has not been yet',
        { entry: FRESH, caller: { credential: { kind: 'jwt', authenticatedAt: NOW + 31 } } },
        fails('the sign-in is said to be in the future'),
      ],
      [
        'freshness',
        'says how strong it was, and how strong it has to be',
        { entry: STRONG },
        fails('asks for acr phrh or phr; the sign-in had pwd'),
      ],
      [
        'freshness',
        'says that nobody knows how strong it was',
        { entry: STRONG, caller: { credential: { kind: 'jwt' } } },
        fails('asks for acr phrh or phr; the sign-in had none'),
      ],
    ],
  ],
  [
    'the scopes',
    [
      ['scopes', 'says when none are asked for', {}, passes('none are asked for')],
      [
        'scopes',
        'names what is asked for',
        { entry: { scopes: ['crm:read', { anyOf: ['crm:list', 'crm:write'] }] } },
        passes('asks for crm:read crm:list|crm:write; all granted'),
      ],
      [
        'scopes',
        'names what is asked for and what is missing',
        { entry: { scopes: ['crm:read', 'crm:write', { anyOf: ['mail:read', 'mail:send'] }] } },
        fails('asks for crm:read crm:write mail:read|mail:send; missing crm:write mail:read|mail:send'),
      ],
    ],
  ],
  [
    'the risk',
    [
      ['risk', 'names it', { entry: { risk: 'write' } }, passes('write')],
      [
        'risk',
        'says that a person is waited for',
        { entry: { risk: 'destructive' } },
        fails('destructive: waits for the approval of a person'),
      ],
    ],
  ],
])('The explanation of %s', (_what, cases) => {
  it.each(cases)('(%s) %s', (name, _says, asked, expected) => {
    expect(checksOf(asked, name)).toEqual(expected.map((each) => ({ name, ...each })));
  });
});

describe('The explanation of a caller nobody knows', () => {
  it('says that no credential came, and nothing of the entry', () => {
    const { checks } = decide(policy, undefined, { entry: entryWith({}), now: 0 });
    expect(checks).toEqual([
      { name: 'authentication', passed: false, detail: 'no credential came, and this is not public' },
    ]);
  });

  it('says that the entry is public, and makes no other check', () => {
    const { checks } = decide(policy, undefined, { entry: entryWith({ public: true }), now: 0 });
    expect(checks).toEqual([
      { name: 'entry', passed: true, detail: 'tool "open"' },
      { name: 'authentication', passed: true, detail: 'public: none is needed' },
    ]);
  });
});

it('The explanation of what does not exist says so, and makes no other check', () => {
  expect(decide(policy, LENA, { entry: undefined, now: 0 }).checks).toEqual([
    { name: 'entry', passed: false, detail: 'the catalog has no such entry' },
  ]);
});

it.each<[string, Partial<EntryPolicy>]>([
  ['permits', {}],
  ['holds', { risk: 'destructive' }],
  ['refuses', { roles: ['admin'] }],
])('A decision that %s names the policy that decided', (_what, changes) => {
  const decision = decide(policy, LENA, { entry: entryWith(changes), now: 0 });
  expect(decision.policyVersion).toBe(policy.version);
});

it.each<[string, Principal | undefined, Partial<EntryPolicy> | undefined]>([
  ['a missing credential', undefined, {}],
  ['a missing entry', LENA, undefined],
  ['a missing role', LENA, { roles: ['admin'], scopes: ['crm:write'], ...FRESH }],
  ['another tenant', { ...LENA, tenant: undefined }, { tenancy: 'required', scopes: ['crm:read'], ...FRESH }],
])('A refusal for %s names no scope and no sign-in', (_what, principal, changes) => {
  const entry = changes === undefined ? undefined : entryWith(changes);
  const decision = decide(policy, principal, { entry, now: NOW * 1000 });
  expect(decision).toMatchObject({ effect: 'refuse', scopes: [] });
  expect(decision).not.toHaveProperty('freshness');
});

it('A challenge for consent says nothing of a sign-in that is good enough', () => {
  const entry = entryWith({ scopes: ['crm:write'], freshness: { maxAge: 100 } });
  const decision = decide(policy, LENA, { entry, now: NOW * 1000 });
  expect(decision).toMatchObject({ reason: 'insufficient_scope', scopes: ['crm:write'] });
  expect(decision).not.toHaveProperty('freshness');
});
