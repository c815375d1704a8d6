import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Controller, Get, Inject, Module, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditTrail } from '@sallyport/mcp';

import { attempt, outcome } from '../../../test/support/audit-events.js';
import { AuditModule } from './audit.module.js';
import { AuditReader } from './audit.reader.js';
import { AuditStore } from './audit.store.js';

let directory: string;
let file: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sallyport-audit-'));
  file = join(directory, 'app.sqlite');
});

afterEach(() => rm(directory, { recursive: true, force: true }));

function start(
  imports: NonNullable<Parameters<typeof Module>[0]['imports']>,
  controllers: (new (...args: never[]) => unknown)[] = [],
) {
  @Module({ imports, controllers })
  class App {}
  return NestFactory.create(App, { logger: false, abortOnError: false });
}

async function listCalls(): Promise<{ kind: string; outcome: string | null }[]> {
  const store = await AuditStore.open(
    { type: 'better-sqlite3', database: file },
    { migrations: 'check', timeoutMs: 5000 },
  );
  const rows = await new AuditReader(store).list({ limit: 100 });
  await store.close();
  return rows.map(({ kind, outcome: end }) => ({ kind, outcome: end }));
}

/** A tool call that is still running when the shutdown begins. */
class Running {
  started!: () => void;
  finish!: () => void;
  readonly hasStarted = new Promise<void>((resolve) => (this.started = resolve));
  readonly mayFinish = new Promise<void>((resolve) => (this.finish = resolve));
}
let running: Running;

@Controller()
class SlowController {
  constructor(@Inject(AuditTrail) private readonly trail: AuditTrail) {}

  @Get('slow')
  async slow(): Promise<string> {
    const tried = attempt();
    await this.trail.record(tried);
    running.started();
    await running.mayFinish;
    await this.trail.record(outcome(tried));
    return 'done';
  }
}

function addressOf(app: INestApplication): AddressInfo {
  const server: { address(): AddressInfo } = app.getHttpServer();
  return server.address();
}

describe('AuditModule', () => {
  it('records in the database of the application, over a connection of its own', async () => {
    const app = await start([
      TypeOrmModule.forRoot({ type: 'better-sqlite3', database: file }),
      AuditModule.register({}),
    ]);
    await app.init();
    await app.get(AuditTrail).record(attempt());
    expect(await app.get(AuditReader).list({ limit: 10 })).toHaveLength(1);
    expect(app.get(AuditStore).warnings).toEqual([]);
    await app.close();
    expect(await listCalls()).toEqual([{ kind: 'attempt', outcome: 'ambiguous' }]);
  });

  it('records in a database of its own when it is given one', async () => {
    const app = await start([AuditModule.register({ database: { type: 'better-sqlite3', database: file } })]);
    await app.init();
    await app.get(AuditTrail).record(attempt());
    await app.close();
    expect(await listCalls()).toHaveLength(1);
  });

  it.each([
    ['no database', {}, /Import TypeOrmModule\.forRoot/],
    ['a timeout of nothing', { timeoutMs: 0 }, /audit\.timeoutMs must be/],
    ['half a record', { maxQueued: 0.5 }, /audit\.maxQueued must be/],
  ])('does not boot with %s', async (_, options, sentence) => {
    const database = { type: 'better-sqlite3', database: file } as const;
    const imports = [
      AuditModule.register(
        'timeoutMs' in options || 'maxQueued' in options ? { database, ...options } : options,
      ),
    ];
    await expect(start(imports)).rejects.toThrow(sentence);
  });

  it('does not boot with pending migrations when it may only check', async () => {
    const imports = [
      AuditModule.register({ database: { type: 'better-sqlite3', database: file }, migrations: 'check' }),
    ];
    await expect(start(imports)).rejects.toThrow(/CreateSallyportAudit1790000000000, .* pending/);
  });

  it('records the outcome of a call that was running when the shutdown began', async () => {
    running = new Running();
    const app = await start(
      [AuditModule.register({ database: { type: 'better-sqlite3', database: file } })],
      [SlowController],
    );
    await app.listen(0, '127.0.0.1');
    const call = request({ host: '127.0.0.1', port: addressOf(app).port, path: '/slow', agent: false }).end();
    const answered = once(call, 'response');
    await running.hasStarted;
    const closed = app.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
    running.finish();
    const [response]: IncomingMessage[] = await answered;
    response?.resume();
    await closed;
    expect(response?.statusCode).toBe(200);
    expect(await listCalls()).toEqual([{ kind: 'attempt', outcome: 'completed' }]);
  });

  it('refuses to record after the shutdown', async () => {
    const app = await start([AuditModule.register({ database: { type: 'better-sqlite3', database: file } })]);
    await app.init();
    const trail = app.get(AuditTrail);
    await app.close();
    await expect(trail.record(attempt())).rejects.toMatchObject({ reason: 'stopped' });
  });
});

it.each([':memory:', ''])(
  'An audit in memory (%j) does not boot, unless that is what was asked for',
  async (database) => {
    const options = { database: { type: 'better-sqlite3', database } } as const;
    await expect(start([AuditModule.register(options)]).then((app) => app.init())).rejects.toMatchObject({
      name: 'AuditSetupError',
      message: expect.stringMatching(/gone when the process ends.*dangerouslyVolatile: true/),
    });
    const app = await start([AuditModule.register({ ...options, dangerouslyVolatile: true })]);
    await app.close();
  },
);
