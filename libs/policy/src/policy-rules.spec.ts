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
  const app = await NestFactory.createApplicationContext(Application, { logger: false });
  return app.get(ModuleRef);
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
  expect(directory.problems()).toMatchObject([{ code: 'role_directory' }]);
  await expect(directory.rolesOf({} as never)).rejects.toThrow('is no provider');
});
