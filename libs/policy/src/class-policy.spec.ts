import { Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  Catalog,
  CatalogModule,
  McpPolicy,
  McpTool,
  RISKS,
  type ClassPolicy,
  type Decision,
  type Entry,
  type GuardedAccess,
  type Principal,
} from '@sallyport/mcp';
import fc from 'fast-check';
import { z } from 'zod';
import { decide } from './decide.js';
import { isVisible } from './is-visible.js';
import { compilePolicy, DEFAULT_POLICY } from './policy.js';

/** Seconds since the epoch. */
const NOW = 1_800_000_000;
const ROLES = { admin: ['member'], member: ['reader'] };
const SCOPES = { 'crm:write': ['crm:read'] };

class Own {
  permits(): boolean {
    return true;
  }
}
class Open extends Own {}

const scope = fc.constantFrom('crm:read', 'crm:write', 'mail:read');
const role = fc.constantFrom('admin', 'member', 'reader');
const acr = fc.constantFrom('pwd', 'mfa', 'phr');
const anyScopes = fc.oneof(
  scope.map((one) => [one]),
  fc.tuple(scope, scope),
  fc.tuple(scope, scope).map((anyOf) => ({ anyOf })),
);
const freshness = fc.oneof(
  fc.record({ maxAge: fc.constantFrom(60, 600) }),
  fc.record({ acr: fc.uniqueArray(acr, { minLength: 1 }) }),
);
const parts = {
  role: fc.oneof(role, fc.tuple(role, role)),
  tenancy: fc.constantFrom('required', 'none', { argument: 'tenant' }, { argument: ['tenant', 'other'] }),
  when: fc.constantFrom(Own, [Own, Open]),
  freshness,
};
const risk = fc.constantFrom(...RISKS);

const anyMethod = fc
  .record({ scopes: anyScopes, risk, ...parts }, { requiredKeys: ['scopes', 'risk'] })
  .map((options) => options as GuardedAccess);
const anyClass = fc
  .record({ scopes: anyScopes, risk, ...parts }, { requiredKeys: [] })
  .map((options) => options as ClassPolicy);

/** A class with one tool, and the policies of the class and of those it extends, the furthest first. */
function classWith(name: string, access: GuardedAccess, policies: readonly ClassPolicy[]): Type<unknown> {
  class Tools {
    run(): string {
      return name;
    }
  }
  const input = z.object({ tenant: z.string().optional(), other: z.string().optional() });
  const descriptor = Object.getOwnPropertyDescriptor(Tools.prototype, 'run') ?? {};
  McpTool({ name, description: 'Runs.', input, ...access })(Tools.prototype, 'run', descriptor);
  return policies.reduce<Type<unknown>>((parent, options) => {
    const child = class extends (parent as Type<object>) {};
    McpPolicy(options)(child);
    return child;
  }, Tools);
}

interface Pair {
  /** What the method asks. */
  readonly alone: Entry;
  /** The same method in classes that ask something as well. */
  readonly within: Entry;
}

/** Declared with the decorators and found by Nest, as those of an application are. */
async function declaredPairs(count: number): Promise<Pair[]> {
  const made = fc.sample(fc.tuple(anyMethod, fc.array(anyClass, { minLength: 1, maxLength: 3 })), count);
  const providers = made.flatMap(([access, policies], at) => [
    classWith(`alone_${at}`, access, []),
    classWith(`within_${at}`, access, policies),
  ]);
  @Module({ imports: [CatalogModule], providers })
  class Application {}
  const app = await NestFactory.createApplicationContext(Application, { logger: false, abortOnError: false });
  const catalog = app.get(Catalog);
  await app.close();
  return made.flatMap((_, at) => {
    const [alone, within] = ['alone', 'within'].map((name) => catalog.named('tool', `${name}_${at}`));
    // Classes whose acr values no sign-in can meet stop the boot.
    return alone === undefined || within === undefined ? [] : [{ alone, within }];
  });
}

const anyPrincipal: fc.Arbitrary<Principal> = fc
  .record({
    scopes: fc.uniqueArray(scope),
    roles: fc.uniqueArray(role),
    tenant: fc.option(fc.constant('acme'), { nil: undefined }),
    age: fc.constantFrom(0, 300, 900),
    acr: fc.option(acr, { nil: undefined }),
  })
  .map(({ age, acr, ...held }) => ({
    kind: 'user',
    issuer: 'https://idp.example',
    subject: 'lena',
    actors: [],
    ...held,
    credential: { kind: 'jwt', authenticatedAt: NOW - age, ...(acr !== undefined && { acr }) },
    claims: {},
  }));
const tenant = fc.constantFrom('acme', 'globex');
const anyArguments = fc.record({ tenant, other: tenant }, { requiredKeys: [] });

/** How much a call may do: nothing, wait for a person, run. */
function power({ effect }: Decision): number {
  return ['refuse', 'hold', 'permit'].indexOf(effect);
}

it('The policy of a class never lets a call do more, nor a list show more, than its method alone', async () => {
  const pairs = await declaredPairs(150);
  expect(pairs.length).toBeGreaterThan(75);
  const entries = pairs.flatMap(({ alone, within }) => [alone, within]);
  const policy = compilePolicy({ ...DEFAULT_POLICY, roles: ROLES, scopes: SCOPES }, entries);
  let stricter = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...pairs),
      anyPrincipal,
      anyArguments,
      fc.subarray(['Own', 'Open']),
      (pair, principal, values, permitting) => {
        const rules = new Map(
          ['Own', 'Open'].map((name) => [name, { permits: permitting.includes(name), detail: '' }]),
        );
        const called = (entry: Entry) =>
          decide(policy, principal, { entry, arguments: values, rules, now: NOW * 1000 });
        const listed = (entry: Entry) =>
          isVisible(decide(policy, principal, { entry, now: NOW * 1000 }), 'consentable');
        expect(power(called(pair.within))).toBeLessThanOrEqual(power(called(pair.alone)));
        expect(Number(listed(pair.within))).toBeLessThanOrEqual(Number(listed(pair.alone)));
        if (power(called(pair.within)) < power(called(pair.alone))) stricter += 1;
      },
    ),
    { numRuns: 2000 },
  );
  // The classes did ask for something.
  expect(stricter).toBeGreaterThan(0);
});
