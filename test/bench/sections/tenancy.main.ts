import 'reflect-metadata';
import { AuditTrail } from '@sallyport/mcp';
import { enableTenantRows, grantRows, scopeToTenant, Tenancy } from '@sallyport/tenancy';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { z } from 'zod';
import { timeInTurns, type Timed, type TimedResult } from '../timing.js';
import { BenchNote } from './bench-note.entity.js';
import { SERVER } from './bench-application.js';
import { reportSection, sectionSettings, tellBench } from './report-section.js';
import { database, timingPlan, type Database } from './settings.js';

const settings = z.object({
  timing: timingPlan,
  databases: z.array(z.object({ label: z.string(), database })),
});

class Unrecorded extends AuditTrail {
  record(): Promise<void> {
    return Promise.resolve();
  }
}

const TENANT = 'acme';
const ROWS = 1000;
const PAGE = 20;
const tenancy = new Tenancy(new Unrecorded(), SERVER);

/** Without the layer the tenant must be in each query. */
function rowsOf(label: string, plain: DataSource, scoped: DataSource): Timed[] {
  const pair = (name: string, query: Query): Timed[] => [
    row(`${label}: ${name}`, `${label}-${name}`, query(plain, { tenant: TENANT }), true),
    row('  through the layer', `${label}-${name}-scoped`, query(scoped, {})),
  ];
  return [
    ...pair('findOneBy id', findOne),
    ...pair(`find ${PAGE} rows`, findPage),
    ...pair('update a row', update),
    ...pair('ten findOneBy in a transaction', findInTransaction),
  ];
}

interface Query {
  (dataSource: DataSource, where: { tenant?: string }): (turn: number) => Promise<boolean>;
}

const findOne: Query = (dataSource, where) => async (turn) => {
  const id = idOf(turn);
  return (await dataSource.getRepository(BenchNote).findOneBy({ id, ...where }))?.id === id;
};

const findPage: Query = (dataSource, where) => async () => {
  const found = await dataSource
    .getRepository(BenchNote)
    .find({ where, order: { number: 'ASC' }, take: PAGE });
  return found.length === PAGE && found.every(({ tenant }) => tenant === TENANT);
};

const update: Query = (dataSource, where) => async (turn) => {
  const notes = dataSource.getRepository(BenchNote);
  const { affected } = await notes.update({ id: idOf(turn), ...where }, { title: `title ${turn}` });
  return affected === 1;
};

const findInTransaction: Query = (dataSource, where) => (turn) =>
  dataSource.transaction(async (manager) => {
    for (let offset = 0; offset < 10; offset += 1) {
      const found = await manager.findOneBy(BenchNote, { id: idOf(turn + offset), ...where });
      if (found === null) return false;
    }
    return true;
  });

function row(
  label: string,
  id: string,
  query: (turn: number) => Promise<boolean>,
  isBaseline = false,
): Timed {
  let turn = 0;
  const batch = async (times: number) => {
    for (let done = 0; done < times; done += 1) {
      turn += 1;
      if (!(await query(turn))) throw new Error(`"${label}" did not do what it should.`);
    }
  };
  return { id: id.toLowerCase().replaceAll(' ', '-'), label, isBaseline, batch };
}

function idOf(turn: number): string {
  return `${TENANT}-${turn % ROWS}`;
}

/** On PostgreSQL as a superuser, whom no policy binds. */
async function openPlain(database: Database): Promise<DataSource> {
  const plain = await new DataSource({ ...optionsOf(database) }).initialize();
  await plain.synchronize();
  const titles = Array.from({ length: ROWS }, (_, number) => ({ number, title: `title ${number}` }));
  for (const tenant of [TENANT, 'globex'])
    await plain
      .getRepository(BenchNote)
      .insert(titles.map((note) => ({ id: `${tenant}-${note.number}`, tenant, ...note })));
  return plain;
}

/** On PostgreSQL as a role that row-level security binds, as a server should be. */
async function openScoped(database: Database, plain: DataSource): Promise<DataSource> {
  const scoped = await new DataSource(await bound(database, plain)).initialize();
  await scopeToTenant(scoped);
  return scoped;
}

async function bound(database: Database, plain: DataSource): Promise<DataSourceOptions> {
  const options = optionsOf(database);
  if (options.type !== 'postgres') return options;
  const runner = plain.createQueryRunner();
  await runner.query(`CREATE ROLE ${ROLE.username} LOGIN PASSWORD '${ROLE.password}'`);
  await enableTenantRows(runner, 'bench_note');
  await grantRows(runner, 'bench_note', ROLE.username);
  await runner.release();
  const { hostname, port, pathname } = new URL(options.url ?? '');
  const { username, password } = ROLE;
  const where = { host: hostname, port: Number(port), database: pathname.slice(1) };
  return { type: 'postgres', installExtensions: false, entities: [BenchNote], username, password, ...where };
}

const ROLE = { username: 'bench_app', password: 'bench-password' };

function optionsOf(database: Database) {
  const entities = [BenchNote];
  return database.type === 'postgres'
    ? { ...database, entities }
    : { ...database, entities, enableWAL: true };
}

// The same queries of the same repository: through the layer, and on a DataSource that knows nothing of tenants.
await reportSection(async () => {
  const { databases, timing } = settings.parse(sectionSettings());
  const results: TimedResult[] = [];
  for (const { label, database } of databases) {
    tellBench(`queries of a tenant on ${label}`);
    const plain = await openPlain(database);
    const scoped = await openScoped(database, plain);
    const measured = () => timeInTurns(rowsOf(label, plain, scoped), timing);
    results.push(...(await tenancy.within(TENANT, { reason: 'bench' }, measured)));
    await scoped.destroy();
    await plain.destroy();
  }
  return { results };
});
