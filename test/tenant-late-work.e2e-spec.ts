import { AsyncResource } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { Args, McpTool, Tenancy, TenancyError } from 'sallyport';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { z } from 'zod';
import { Deferred, eventually } from './support/eventually.js';
import { TestIssuer } from './support/issuer.js';
import { toolCall } from './support/messages.js';
import { TestServer } from './support/server.js';
import {
  DATABASES,
  plantCanaries,
  rowsOf,
  tenantDatabase,
  type TenantDatabase,
} from './support/tenant-database.js';
import { Book, Page } from './support/tenant-entities.js';

/** What became of work that went on after its call: a code, or the titles that it saw. */
const left: string[] = [];

/** Settled when the call has been answered, or the work within a tenant is over. */
let over = new Deferred();
/** Settled when what goes on after that has written something before. */
let written = new Deferred();

/** Until as much is known of what was left behind. */
async function leftAtLeast(count: number): Promise<void> {
  await eventually(
    () => Promise.resolve(left.length),
    (length) => length >= count,
  );
}

async function keep(work: Promise<unknown>): Promise<void> {
  try {
    left.push(JSON.stringify(await work) ?? 'done');
  } catch (error) {
    left.push(error instanceof TenancyError ? error.code : String(error));
  }
}

/** Ordinary mistakes, and ordinary patterns: each goes on after the call that began it. */
@Injectable()
class Tools {
  readonly #jobs: string[] = [];
  #wake: () => void = () => undefined;
  #isRunning = false;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly tenancy: Tenancy,
  ) {}

  @McpTool({
    name: 'enqueue',
    description: 'Queues a book.',
    scopes: ['crm:write'],
    risk: 'write',
    input: z.object({ title: z.string() }),
  })
  async enqueue(@Args('title') title: string) {
    const known = left.length;
    this.#jobs.push(title);
    this.#wake();
    // The first caller starts the worker, and the worker runs in what it was started in.
    if (!this.#isRunning) void this.#work();
    this.#isRunning = true;
    if (title !== 'stop') await leftAtLeast(known + 1);
    return 'queued';
  }

  async #work(): Promise<void> {
    for (;;) {
      while (this.#jobs.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
      const title = this.#jobs.shift() ?? '';
      if (title === 'stop') return;
      await keep(this.dataSource.getRepository(Book).insert({ id: `job-${title}`, title, amount: 1 }));
    }
  }

  @McpTool({ name: 'timer', description: 'Looks later.', scopes: ['crm:write'], risk: 'read' })
  timer() {
    setTimeout(() => void keep(over.promise.then(() => this.#titles())));
    return 'ok';
  }

  @McpTool({ name: 'forgets', description: 'Awaits nothing.', scopes: ['crm:write'], risk: 'write' })
  forgets() {
    void keep(over.promise.then(() => this.dataSource.getRepository(Book).updateAll({ title: 'late' })));
    return 'ok';
  }

  @McpTool({ name: 'transacts', description: 'Leaves one open.', scopes: ['crm:write'], risk: 'write' })
  async transacts() {
    const work = this.dataSource.transaction(async (manager) => {
      await manager.insert(Book, { id: 'late-1', title: 'late', amount: 1 });
      written.resolve();
      await over.promise;
    });
    void keep(work);
    await written.promise;
    return 'ok';
  }

  @McpTool({ name: 'says', description: 'Says whose rows.', scopes: ['crm:write'], risk: 'read' })
  says() {
    const work = () => this.tenancy.within('globex', { reason: 'a job of globex' }, () => this.#titles());
    setTimeout(() => void keep(over.promise.then(work)));
    return 'ok';
  }

  async #titles(): Promise<string[]> {
    const books = await this.dataSource.getRepository(Book).find();
    return books.map(({ title }) => title);
  }
}

let leftover: (() => Promise<unknown>) | undefined;

/** Leaves something behind that was made while the schema was worked on. */
class LeavesWork1700000000000 implements MigrationInterface {
  readonly name = 'LeavesWork1700000000000';

  async up({ dataSource }: QueryRunner): Promise<void> {
    leftover = AsyncResource.bind(() => dataSource.query(`UPDATE book SET title = 'late'`));
    return Promise.resolve();
  }

  down(): Promise<void> {
    return Promise.resolve();
  }
}

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await TestIssuer.start();
});
afterAll(async () => issuer.stop());

describe.each(DATABASES)('Work that goes on after its call, on %s,', (name) => {
  let database: TenantDatabase;
  let server: TestServer;

  beforeAll(async () => {
    database = await tenantDatabase(name);
    server = await TestServer.start({
      issuer,
      providers: [Tools],
      database: { ...database.options, migrations: [LeavesWork1700000000000] },
    });
  });
  afterAll(async () => {
    await server.close();
    await database.stop();
  });
  beforeEach(async () => {
    await plantCanaries(database.admin);
    left.length = 0;
    over = new Deferred();
    written = new Deferred();
  });

  async function call(tenant: string, tool: string, args: Record<string, unknown> = {}) {
    const token = await issuer.token({ tenant, scope: 'crm:write' });
    return server.send({ token, ...toolCall(tool, args) });
  }

  async function leftBy(tool: string): Promise<string[]> {
    await call('acme', tool);
    over.resolve();
    await leftAtLeast(1);
    return left;
  }

  it('in the worker of a queue, writes the row of one caller into no other tenant', async () => {
    const before = await rowsOf(database.admin, 'acme');
    await call('acme', 'enqueue', { title: 'first' });
    await call('globex', 'enqueue', { title: 'payroll' });
    await call('acme', 'enqueue', { title: 'stop' });
    // The first job was done within the call of acme, the second in what that call has left behind.
    expect(left).toEqual([expect.stringContaining('job-first'), 'no_call']);
    const books = await database.admin.query(`SELECT id, tenant FROM book WHERE id LIKE 'job-%'`);
    expect(books).toEqual([{ id: 'job-first', tenant: 'acme' }]);
    expect((await rowsOf(database.admin, 'acme'))['book']).toHaveLength((before['book'] ?? []).length + 1);
  });

  it('in a timer, reads nothing', async () => {
    expect(await leftBy('timer')).toEqual(['no_call']);
  });

  it('in a promise that nobody awaited, changes nothing', async () => {
    const before = [await rowsOf(database.admin, 'acme'), await rowsOf(database.admin, 'globex')];
    expect(await leftBy('forgets')).toEqual(['no_call']);
    expect([await rowsOf(database.admin, 'acme'), await rowsOf(database.admin, 'globex')]).toEqual(before);
  });

  it('in a transaction that nobody awaited, is rolled back, and the next one is committed', async () => {
    const before = await rowsOf(database.admin, 'acme');
    expect(await leftBy('transacts')).toEqual(['reach_over']);
    expect(await rowsOf(database.admin, 'acme')).toEqual(before);
    const dataSource = server.app.get(DataSource);
    await server.app
      .get(Tenancy)
      .within('globex', { reason: 'a test' }, () =>
        dataSource.transaction((manager) => manager.insert(Book, { id: 'g-2', title: 'kept', amount: 1 })),
      );
    expect((await rowsOf(database.admin, 'globex'))['book']).toContainEqual(
      expect.objectContaining({ id: 'g-2' }),
    );
    if (name === 'SQLite') expect(dataSource.createQueryRunner().isTransactionActive).toBe(false);
  });

  it('reads the rows of the tenant that it names', async () => {
    expect(await leftBy('says')).toEqual(['["globex secret"]']);
  });

  it('is told what to write', async () => {
    const asked = server.app.get(DataSource).getRepository(Book).find();
    await expect(asked).rejects.toThrow(/await .* queue, .*tenancy\.within\('acme', \{ reason/s);
  });

  it('ends a transaction of `within` that nobody awaited, whatever it did last', async () => {
    const dataSource = server.app.get(DataSource);
    const before = await rowsOf(database.admin, 'acme');
    await server.app.get(Tenancy).within('acme', { reason: 'a test' }, async () => {
      const work = dataSource.transaction(async (manager) => {
        await manager.insert(Book, { id: 'late-2', title: 'late', amount: 1 });
        written.resolve();
        await over.promise;
        await manager.find(Book);
      });
      void keep(work);
      await written.promise;
    });
    over.resolve();
    await leftAtLeast(1);
    expect(left).toEqual(['reach_over']);
    expect(await rowsOf(database.admin, 'acme')).toEqual(before);
    await dataSource.transaction((manager) => manager.find(Page));
    if (name === 'SQLite') expect(dataSource.createQueryRunner().isTransactionActive).toBe(false);
  });

  it('is bound when a migration has left it behind', async () => {
    const before = await rowsOf(database.admin, 'globex');
    await server.app.get(DataSource).runMigrations();
    await expect(leftover?.()).rejects.toMatchObject({ code: 'reach_over' });
    expect(await rowsOf(database.admin, 'globex')).toEqual(before);
  });
});
