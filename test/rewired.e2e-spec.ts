import { Injectable, type CallHandler, type ExecutionContext } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { IdentityGuard } from '@sallyport/identity';
import { Authenticator, Authorizer } from '@sallyport/mcp';
import { PolicyInterceptor } from '@sallyport/policy';
import { AuditReader, McpTool } from 'sallyport';
import { TestIssuer } from './support/issuer.js';
import { send, toolCall, type Answer } from './support/messages.js';
import { applicationModule, Runs } from './support/server.js';

@Injectable()
class Tools {
  constructor(private readonly runs: Runs) {}

  @McpTool({ name: 'open', description: 'Opens.', scopes: ['crm:read'], risk: 'read' })
  open() {
    this.runs.note('open');
    return 'opened';
  }
}

let issuer: TestIssuer;
let token: string;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  token = await issuer.token({ tenant: 'acme', scope: 'crm:read' });
});
afterAll(async () => issuer.stop());

/** Boots with parts replaced by others, and calls with a token that is good for everything. */
async function callRewired(rewire: (module: TestingModuleBuilder) => TestingModuleBuilder) {
  const runs = new Runs();
  const imports = [applicationModule({ issuer, providers: [Tools] }, runs)];
  const module = await rewire(Test.createTestingModule({ imports })).compile();
  const app = module.createNestApplication(new FastifyAdapter(), { logger: false });
  await app.listen(0, '127.0.0.1');
  try {
    const answer: Answer = await send(`${await app.getUrl()}/mcp`, { token, ...toolCall('open') });
    return { answer, ran: runs.names, records: await app.get(AuditReader).list({ limit: 10 }) };
  } finally {
    await app.close();
  }
}

const pass = { intercept: (_: ExecutionContext, next: CallHandler) => next.handle() };

it('runs a call when nothing is replaced', async () => {
  const { answer, ran } = await callRewired((module) => module);
  expect({ status: answer.status, ran }).toEqual({ status: 200, ran: ['open'] });
});

it.each<[string, (module: TestingModuleBuilder) => TestingModuleBuilder]>([
  [
    'the guard lets everybody in',
    (module) => module.overrideGuard(IdentityGuard).useValue({ canActivate: () => true }),
  ],
  [
    'the interceptor lets everything through',
    (module) => module.overrideInterceptor(PolicyInterceptor).useValue(pass),
  ],
  [
    'both do',
    (module) =>
      module
        .overrideGuard(IdentityGuard)
        .useValue({ canActivate: () => true })
        .overrideInterceptor(PolicyInterceptor)
        .useValue(pass),
  ],
  [
    'the authorizer says yes in other words',
    (module) =>
      module.overrideProvider(Authorizer).useValue({ authorize: () => true, isVisible: () => true }),
  ],
  [
    'the authenticator says yes in other words',
    (module) =>
      module.overrideProvider(Authenticator).useValue({ authenticate: async () => ({ kind: 'ok' }) }),
  ],
])('runs nothing when %s', async (_what, rewire) => {
  const { answer, ran, records } = await callRewired(rewire);
  expect(ran).toEqual([]);
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(records.filter(({ kind }) => kind === 'attempt')).toEqual([]);
});
