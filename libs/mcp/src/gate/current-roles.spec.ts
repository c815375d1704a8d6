import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { Principal } from '../principal.js';
import { askedBy, CurrentRoles, RolesUnavailable, type Decided } from './current-roles.js';

const alice: Principal = Object.freeze({
  kind: 'user',
  issuer: 'https://id.example',
  subject: 'alice',
  actors: [],
  tenant: 'acme',
  scopes: ['a'],
  roles: ['of-the-token'],
  credential: { kind: 'jwt' },
  claims: {},
});

function rolesOf(answer: () => unknown, timeoutMs?: number): Promise<Principal> {
  return new CurrentRoles({ rolesOf: answer } as never, timeoutMs).of(alice);
}

beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(['error']));

it('The credential says the roles where there is no directory', async () => {
  await expect(new CurrentRoles(undefined).of(alice)).resolves.toBe(alice);
});

it('A directory wins over the credential, and changes nothing else', async () => {
  const current = await rolesOf(async () => ['b', 'a', 'b']);
  expect(current).toEqual({ ...alice, roles: ['b', 'a'] });
  expect([current, current.roles].every(Object.isFrozen)).toBe(true);
});

it('A directory that knows of no role leaves none', async () => {
  await expect(rolesOf(async () => [])).resolves.toMatchObject({ roles: [] });
});

it.each<[string, () => unknown]>([
  ['rejects', () => Promise.reject(new Error('down'))],
  [
    'throws',
    () => {
      throw new Error('down');
    },
  ],
  ['never answers', () => new Promise(() => undefined)],
  ['answers nothing', async () => undefined],
  ['answers null', async () => null],
  ['answers with one name', async () => 'admin'],
  ['answers with a set', async () => new Set(['admin'])],
  ['answers with an object', async () => ({ 0: 'admin', length: 1 })],
  ['has something else in its list', async () => ['admin', null]],
  ['has an empty name in its list', async () => ['']],
  ['has what only looks like a name in its list', async () => [{ length: 1, isWellFormed: () => true }]],
  ['has half a character in its list', async () => ['\uD800']],
  ['has a name without end in its list', async () => ['x'.repeat(256)]],
  ['answers without end', async () => Array.from({ length: 501 }, (_, at) => `r${at}`)],
])('A directory that %s leaves nobody who could be decided about', async (_what, answer) => {
  await expect(rolesOf(answer, 20)).rejects.toThrow(RolesUnavailable);
});

it.each<[string, () => unknown, unknown[]]>([
  [
    'rejects',
    () => Promise.reject(new Error('down')),
    ['The directory of roles failed; the call is refused.', expect.stringContaining('down')],
  ],
  [
    'answers oddly',
    async () => 'admin',
    ['The directory of roles gave no list of names in time; the call is refused.', undefined],
  ],
])('The log says why, and the caller does not, when a directory %s', async (_what, answer, line) => {
  const lines: unknown[][] = [];
  Logger.overrideLogger({ log: () => {}, warn: () => {}, error: (...parts: unknown[]) => lines.push(parts) });
  await expect(rolesOf(answer)).rejects.toMatchObject({
    name: 'RolesUnavailable',
    message: 'The roles of the caller could not be found out.',
  });
  Logger.overrideLogger(false);
  expect(lines).toEqual([[...line, 'Sallyport']]);
});

it.each<[string, string[]]>([
  ['the longest name', ['x'.repeat(255)]],
  ['as many names as there may be', Array.from({ length: 500 }, (_, at) => `r${at}`)],
])('A directory may answer with %s', async (_what, roles) => {
  await expect(rolesOf(async () => roles)).resolves.toMatchObject({ roles });
});

describe('A directory', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('that answered is not waited for any longer', async () => {
    await rolesOf(async () => ['a']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('that failed is not waited for any longer', async () => {
    await expect(rolesOf(() => Promise.reject(new Error('down')))).rejects.toThrow(RolesUnavailable);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('has two seconds, unless something else is said', async () => {
    let answer: (roles: string[]) => void = () => {};
    const asked = rolesOf(() => new Promise((resolve) => (answer = resolve)));
    jest.advanceTimersByTime(1_999);
    answer(['a']);
    await expect(asked).resolves.toMatchObject({ roles: ['a'] });
    const late = rolesOf(() => new Promise(() => undefined));
    jest.advanceTimersByTime(2_000);
    await expect(late).rejects.toThrow(RolesUnavailable);
  });
});

it('Every call of an operation is asked by the same principal', () => {
  const context = { principal: alice } as never;
  const bob: Principal = { ...alice, subject: 'bob' };
  const call = { ...(context as object), target: 'docs://a' } as never;
  const asked = { call, validate: async () => ({ valid: true, value: {} }) as const };
  const operations: Decided[] = [
    { kind: 'call', ...asked },
    { kind: 'list', call, from: { via: 'http', address: undefined } },
    {
      kind: 'listen',
      call,
      from: { via: 'http', address: undefined },
      filter: { lists: [], resources: [asked] },
    },
  ];
  for (const operation of operations) {
    const current = askedBy(operation, bob);
    expect(current.call.principal).toBe(bob);
    // Nothing else of it changes.
    expect(comparable(current)).toEqual(comparable(operation));
    expect(Object.isFrozen(current.call)).toBe(true);
    if (current.kind === 'listen') expect(current.filter.resources[0]?.call.principal).toBe(bob);
    expect(operation.call.principal).toBe(alice);
    expect(askedBy(operation, alice)).toBe(operation);
  }
});

/** An operation as data, whoever asks. */
function comparable(operation: Decided): unknown {
  return JSON.parse(JSON.stringify(operation).replaceAll('"bob"', '"alice"'));
}
