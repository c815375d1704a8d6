import { DataSource, type DataSourceOptions } from 'typeorm';
import { eventually } from './eventually.js';
import type { Fault, FaultyDatabase, Repair } from './faulty-database.js';
import { PostgresProxy, type Lost } from './postgres-proxy.js';
import type { PostgresOptions } from './postgres.js';

/** A database behind a network that can fail, and whose owner can do what owners do. */
export class FaultyPostgres implements FaultyDatabase {
  private constructor(
    readonly direct: PostgresOptions,
    readonly proxy: PostgresProxy,
    private readonly owner: DataSource,
  ) {}

  static async start(direct: PostgresOptions): Promise<FaultyPostgres> {
    const owner = await new DataSource({ ...direct }).initialize();
    return new FaultyPostgres(direct, await PostgresProxy.start(direct), owner);
  }

  get options(): DataSourceOptions {
    return this.proxy.options;
  }

  get processOptions(): DataSourceOptions {
    return this.proxy.options;
  }

  sql<Row>(statement: string): Promise<Row[]> {
    return this.owner.query<Row[]>(statement);
  }

  /** Before each record, or each outcome, that is written. */
  async onRecord(which: 'every' | 'outcome', body: string): Promise<Repair> {
    const when = which === 'every' ? '' : `WHEN (NEW.kind = 'outcome')`;
    await this.sql(`CREATE OR REPLACE FUNCTION test_fault() RETURNS trigger LANGUAGE plpgsql
      AS $$ BEGIN ${body}; RETURN NEW; END $$`);
    await this.sql(`CREATE TRIGGER test_fault BEFORE INSERT ON sallyport_audit
      FOR EACH ROW ${when} EXECUTE FUNCTION test_fault()`);
    return () => this.sql('DROP TRIGGER test_fault ON sallyport_audit');
  }

  /** Another session holds the table. The lock goes when nobody waits for it any more: nothing is written late. */
  async lock(): Promise<Repair> {
    const runner = this.owner.createQueryRunner();
    await runner.startTransaction();
    await runner.query('LOCK TABLE sallyport_audit IN ACCESS EXCLUSIVE MODE');
    return async () => {
      await eventually(
        () => this.sql<{ waits: number }>(WAITING),
        ([row]) => row?.waits === 0,
      );
      await runner.rollbackTransaction();
      await runner.release();
    };
  }

  async connections(): Promise<number> {
    const [row] = await this.sql<{ connections: number }>(CONNECTIONS);
    return row?.connections ?? 0;
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    await this.owner.destroy();
  }
}

const OF_THE_AUDIT = `FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'sallyport-audit'`;
const CONNECTIONS = `SELECT count(*)::int AS connections ${OF_THE_AUDIT}`;
const WAITING = `SELECT count(*)::int AS waits ${OF_THE_AUDIT} AND wait_event_type = 'Lock'`;

const FULL = `RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'`;
const WRONG = `RAISE EXCEPTION 'something is wrong' USING ERRCODE = 'internal_error'`;

async function loseTable(database: FaultyPostgres): Promise<Repair> {
  await database.sql('ALTER TABLE sallyport_audit RENAME TO lost_audit');
  return () => database.sql('ALTER TABLE lost_audit RENAME TO sallyport_audit');
}

/** The network between the two is open again. */
function healing({ proxy }: FaultyPostgres): Repair {
  return () => Promise.resolve(proxy.heal());
}

/** Nothing comes back on the connection over which the outcome went. */
async function silenceOutcome(database: FaultyPostgres, lost: Lost): Promise<Repair> {
  void database.proxy.catchOutcome(lost);
  return healing(database);
}

async function cutOutcome(database: FaultyPostgres, lost: Lost): Promise<Repair> {
  void database.proxy.catchOutcome(lost).then(() => database.proxy.cut());
  return healing(database);
}

/** A disk that is full is played by a trigger, with the error that PostgreSQL reports then: a real one takes a disk. */
export const POSTGRES_FAULTS: readonly Fault<FaultyPostgres>[] = [
  {
    name: 'answers with an error',
    strike: loseTable,
    during: [{ how: '', arm: (database) => database.onRecord('outcome', WRONG), leads: 'unrecorded' }],
  },
  {
    name: 'hangs, as another session holds the table',
    strike: (database) => database.lock(),
    during: [
      {
        how: ', inside of PostgreSQL itself',
        arm: (database) => database.onRecord('outcome', 'PERFORM pg_sleep(30)'),
        leads: 'unrecorded',
      },
    ],
  },
  {
    name: 'is silent, as packets vanish',
    strike: async (database) => {
      database.proxy.silence();
      return healing(database);
    },
    during: [
      {
        how: ', before it arrived',
        arm: (database) => silenceOutcome(database, 'the question'),
        leads: 'unrecorded',
      },
      {
        how: ', after it was committed',
        arm: (database) => silenceOutcome(database, 'the answer'),
        leads: 'recorded',
      },
    ],
    healsSlowly: true,
  },
  {
    name: 'is cut off, and refuses connections',
    strike: async (database) => {
      database.proxy.cut();
      return healing(database);
    },
    during: [
      {
        how: ', before it arrived',
        arm: (database) => cutOutcome(database, 'the question'),
        leads: 'unrecorded',
      },
      {
        how: ', after it was committed',
        arm: (database) => cutOutcome(database, 'the answer'),
        leads: 'recorded',
      },
    ],
  },
  {
    name: 'is full',
    strike: (database) => database.onRecord('every', FULL),
    during: [{ how: '', arm: (database) => database.onRecord('outcome', FULL), leads: 'unrecorded' }],
  },
];
