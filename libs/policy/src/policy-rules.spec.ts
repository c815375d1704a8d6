import { Injectable, Module, Scope, type Type } from '@nestjs/common';
import { ModuleRef, NestFactory } from '@nestjs/core';
import type { Entry } from '@sallyport/mcp';
import { PolicyRules } from './policy-rules.js';
import { ProvidedRoles } from './provided-roles.js';

@Injectable()
class Own {
  permits(): boolean {
    return true;
  }

  async rolesOf(): Promise<string[]> {
    return ['member'];
  }
}

@Injectable({ scope: Scope.REQUEST })
class PerRequest {
  permits(): boolean {
    return true;
  }
}

@Injectable()
class Depending {
  constructor(readonly other: PerRequest) {}
  permits(): boolean {
    return true;
  }
}

@Injectable({ scope: Scope.TRANSIENT })
class Transient extends Own {}

class NotProvided extends Own {}

@Injectable()
class Useless {}

@Module({ providers: [Own, PerRequest, Depending, Transient, Useless] })
class Elsewhere {}

@Module({ imports: [Elsewhere] })
class Application {}

function ruledBy(rule: Type<unknown>): Entry {
  return {
    kind: 'tool',
    name: 'open',
    policy: { public: false, scopes: ['a'], roles: [], risk: 'read', tenancy: 'none', when: [rule.name] },
    rules: [rule],
    auditFields: [],
    source: 'Tools.open',
    digest: '',
  };
}

async function moduleRef(): Promise<ModuleRef> {
  const app = await NestFactory.createApplicationContext(Application, { logger: false, abortOnError: false });
  // Of the module that provides none of them.
  return app.select(Application).get(ModuleRef, { strict: true });
}

it('A rule is found in whichever module it is provided', async () => {
  const rules = new PolicyRules(await moduleRef());
  expect(rules.find(Own)).toBeInstanceOf(Own);
  expect(rules.problems([ruledBy(Own)])).toEqual([]);
});

it.each<[string, Type<unknown>, string]>([
  ['provided nowhere', NotProvided, 'list NotProvided under providers'],
  ['made anew for each request', PerRequest, 'leave its scope out'],
  ['given what is made anew for each request', Depending, 'leave its scope out'],
  ['transient', Transient, 'leave its scope out'],
  ['no rule', Useless, 'write class Useless implements PolicyRule'],
])('A rule that is %s does not boot, and is not asked', async (_what, rule, advice) => {
  const rules = new PolicyRules(await moduleRef());
  expect(rules.problems([ruledBy(rule), ruledBy(rule)])).toMatchObject([
    { message: expect.stringContaining(advice) },
  ]);
  expect(rules.find(rule)).toBeUndefined();
});

it('What does not boot for its rule says which entry, which class, and what to write', async () => {
  const rules = new PolicyRules(await moduleRef());
  expect(rules.problems([ruledBy(NotProvided), ruledBy(Useless), ruledBy(Own)])).toEqual([
    {
      code: 'rule_not_provided',
      message:
        'The tool "open" (Tools.open) is ruled by NotProvided, which is no provider: list NotProvided under providers of a module. ' +
        'A rule of request or transient scope cannot be asked: leave its scope out, and that of what is injected into it.',
    },
    {
      code: 'rule_without_permits',
      message:
        'The tool "open" (Tools.open) is ruled by Useless, which has no method permits: write class Useless implements PolicyRule.',
    },
  ]);
});

it('An entry without rules has none to look for', async () => {
  const { rules: _rules, ...entry } = ruledBy(Own);
  expect(new PolicyRules(await moduleRef()).problems([entry])).toEqual([]);
});

it('A rule that was found is not looked for again', async () => {
  const own = new Own();
  const found: unknown[] = [];
  const rules = new PolicyRules({ get: (type: unknown) => (found.push(type), own) } as never);
  expect([rules.find(Own), rules.find(Own)]).toEqual([own, own]);
  expect(found).toEqual([Own]);
});

it.each<[string, unknown]>([
  ['null', null],
  ['a text', 'permits'],
  ['a function', () => true],
  ['an object without it', {}],
  ['an object with another thing of its name', { permits: true }],
])('A provider that is %s is no rule', (_what, instance) => {
  const rules = new PolicyRules({ get: () => instance } as never);
  // The second time as well.
  expect([rules.find(Own), rules.find(Own)]).toEqual([undefined, undefined]);
});

it('A directory of roles is found in whichever module it is provided', async () => {
  const directory = new ProvidedRoles(Own as never, await moduleRef());
  expect(directory.problems()).toEqual([]);
  await expect(directory.rolesOf({} as never)).resolves.toEqual(['member']);
});

it.each<[string, Type<unknown>]>([
  ['provided nowhere', NotProvided],
  ['made anew for each request', PerRequest],
  ['transient', Transient],
  ['no directory', Useless],
])('A directory of roles that is %s does not boot, and cannot be asked', async (_what, type) => {
  const directory = new ProvidedRoles(type as never, await moduleRef());
  const { name } = type;
  expect(directory.problems()).toEqual([
    {
      code: 'role_directory',
      message:
        `roleDirectory is ${name}, which is no provider with a method rolesOf: write class ${name} extends RoleDirectory, ` +
        'and list it under providers of a module. It cannot be of request or transient scope, nor be given what is.',
    },
  ]);
  await expect(directory.rolesOf({} as never)).rejects.toThrow(`${name} is no provider.`);
});

it('A directory of roles is looked for once, and asked about each caller', async () => {
  const asked: unknown[] = [];
  const looked: unknown[] = [];
  const instance = { rolesOf: async (principal: unknown) => (asked.push(principal), []) };
  const moduleRef = { get: (type: unknown) => (looked.push(type), instance) };
  const directory = new ProvidedRoles(Own as never, moduleRef as never);
  const [one, other] = [{ subject: 'one' }, { subject: 'other' }];
  await directory.rolesOf(one as never);
  await directory.rolesOf(other as never);
  expect({ asked, looked }).toEqual({ asked: [one, other], looked: [Own] });
});

it.each<[string, unknown]>([
  ['null', null],
  ['a text', 'rolesOf'],
  ['an object without it', {}],
  ['an object with another thing of its name', { rolesOf: ['admin'] }],
])('A provider that is %s is no directory of roles', async (_what, instance) => {
  const directory = new ProvidedRoles(Own as never, { get: () => instance } as never);
  expect(directory.problems()).toHaveLength(1);
  await expect(directory.rolesOf({} as never)).rejects.toThrow('Own is no provider.');
});
