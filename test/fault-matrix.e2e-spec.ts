import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuditReader } from 'sallyport';
import { Account } from './support/account.js';
import { compiledSources } from './support/compiled-sources.js';
import { eventually } from './support/eventually.js';
import { TIMEOUT_MS, type AfterRun, type Fault, type FaultyDatabase } from './support/faulty-database.js';
import { FaultyPostgres, POSTGRES_FAULTS } from './support/faulty-postgres.js';
import { FaultySqlite, KILL, SQLITE_FAULTS } from './support/faulty-sqlite.js';
import { TestIssuer } from './support/issuer.js';
import { toolCall, type Answer } from './support/messages.js';
import { callAnswered, Effects, Moments, MOMENTS, watchedTools, type Moment } from './support/moments.js';
import type { Lost } from './support/postgres-proxy.js';
import { startPostgres, type RunningPostgres } from './support/postgres.js';
import { TestServer } from './support/server.js';
import { WatchedServer } from './support/watched-server.js';

/** Connections that the audit may have. */
const POOL = 4;
/** More, so that calls that hang would use them up. */
const MANY = 8;

let issuer: TestIssuer;
let postgres: RunningPostgres;
let token: string;

beforeAll(async () => {
  [issuer, postgres] = await Promise.all([TestIssuer.start(), startPostgres(), compiledSources()]);
  token = await issuer.token({ tenant: 'acme', scope: 'crm:write' });
});
afterAll(async () => {
  await WatchedServer.killAll();
  await Promise.all([issuer.stop(), postgres.stop()]);
});

function newEffects(): Effects {
  return new Effects(join(mkdtempSync(join(tmpdir(), 'sallyport-effects-')), 'effects'));
}

let databases = 0;
async function newPostgres(): Promise<FaultyPostgres> {
  databases += 1;
  return FaultyPostgres.start(await postgres.createDatabase(`faulty_${databases}`));
}

/** A server whose audit is in a database that fails; everything else it has is elsewhere, and so are its side effects. */
class FaultyServer<D extends FaultyDatabase> {
  /** Calls whose result somebody was given. */
  readonly answered: string[] = [];

  private constructor(
    readonly database: D,
    readonly effects: Effects,
    readonly server: TestServer,
  ) {}

  static async start<D extends FaultyDatabase>(database: D): Promise<FaultyServer<D>> {
    const effects = newEffects();
    const audit = { database: database.options, timeoutMs: TIMEOUT_MS };
    const sallyport = { audit, decisionTimeoutMs: 30_000 };
    const server = await TestServer.start({ issuer, providers: watchedTools(effects), sallyport });
    return new FaultyServer(database, effects, server);
  }

  get moments(): Moments {
    return this.server.app.get(Moments);
  }

  async act(as = token): Promise<Answer> {
    const answer = await this.server.send({ token: as, ...toolCall('act') });
    const call = callAnswered(answer.text);
    if (call !== undefined) this.answered.push(call);
    return answer;
  }

  /** What this work has left behind: calls that did something, and what was recorded. */
  async watch<T>(work: () => Promise<T>) {
    const [before, did] = [await this.account(), this.effects.read().length];
    const answer = await work();
    const recorded = (await this.account()).rows.slice(before.rows.length);
    return { answer, ran: this.effects.read().slice(did), recorded: recorded.map(({ kind }) => kind) };
  }

  async account(): Promise<Account> {
    const account = await Account.read(this.database.direct);
    if (account === undefined) throw new Error('The table of the audit is gone.');
    return account;
  }

  async brokenPromises(): Promise<string[]> {
    return (await this.account()).brokenPromises(this.effects.read(), this.answered);
  }

  async close(): Promise<void> {
    await this.server.close();
    await this.database.stop();
  }
}

function expectUnavailable(answer: Answer): void {
  expect(answer).toMatchObject({ status: 503, error: { code: -32013, data: { reason: 'unavailable' } } });
}

function expectWithheld(answer: Answer, call: string | undefined): void {
  expect(answer.error).toMatchObject({ data: { reason: 'outcome_unrecorded', reference: call } });
  expect(callAnswered(answer.text)).toBeUndefined();
}

async function expectWell<D extends FaultyDatabase>(
  faulty: FaultyServer<D>,
  { healsSlowly }: Fault<D>,
): Promise<void> {
  if (healsSlowly)
    await eventually(
      () => faulty.act(),
      ({ result }) => result !== undefined,
    );
  const { answer, ran, recorded } = await faulty.watch(() => faulty.act());
  expect({ status: answer.status, call: callAnswered(answer.text), recorded }).toEqual({
    status: 200,
    call: ran[0],
    recorded: ['attempt', 'outcome'],
  });
}

const RECORDED: Readonly<Record<AfterRun, string[]>> = {
  unrecorded: ['attempt'],
  recorded: ['attempt', 'outcome'],
  answered: ['attempt', 'outcome'],
};

function faultMatrix<D extends FaultyDatabase>(
  name: string,
  start: () => Promise<D>,
  faults: readonly Fault<D>[],
): void {
  describe.each(faults)(`When ${name} $name`, (fault) => {
    let faulty: FaultyServer<D>;

    beforeAll(async () => {
      faulty = await FaultyServer.start(await start());
      // The key of the caller is made by the first call.
      await faulty.act();
    });
    afterAll(() => faulty.close());
    afterEach(async () => expect(await faulty.brokenPromises()).toEqual([]));

    /** One call during which it happens, and what is there once it is over. */
    function callStruckAt(moment: Moment) {
      return faulty.watch(async () => {
        let repair: () => Promise<unknown> = () => Promise.reject(new Error(`No call came to be ${moment}.`));
        faulty.moments.atNext(moment, async () => {
          repair = await fault.strike(faulty.database);
        });
        const answer = await faulty.act();
        await repair();
        return answer;
      });
    }

    it('before the attempt, nothing runs and 503 is said, and the next call works', async () => {
      const { answer, ran, recorded } = await callStruckAt('before the attempt');
      expectUnavailable(answer);
      expect({ ran, recorded }).toEqual({ ran: [], recorded: [] });
      await expectWell(faulty, fault);
    });

    it.each(['between attempt and handler', 'after the handler'] as const)(
      '%s, the result is withheld and the attempt stays ambiguous, and the next call works',
      async (moment) => {
        const { answer, ran, recorded } = await callStruckAt(moment);
        expectWithheld(answer, ran[0]);
        expect({ ran: ran.length, recorded }).toEqual({ ran: 1, recorded: ['attempt'] });
        await expectWell(faulty, fault);
        const reader = faulty.server.app.get(AuditReader);
        const list = () => reader.list({ kind: 'attempt', limit: 100 });
        // Whoever reads has connections of their own, of which one may be dead as well: that is found out in time.
        const records = await list().catch(list);
        expect(records.find(({ call }) => call === ran[0])).toMatchObject({ outcome: 'ambiguous' });
      },
    );

    it.each(fault.during)(
      'during the outcome$how, the call is left $leads, and the next call works',
      async ({ arm, leads }) => {
        const { answer, ran, recorded } = await faulty.watch(async () => {
          const repair = await arm(faulty.database);
          const given = await faulty.act();
          await repair();
          return given;
        });
        if (leads === 'answered') expect(callAnswered(answer.text)).toBe(ran[0]);
        else expectWithheld(answer, ran[0]);
        expect({ ran: ran.length, recorded }).toEqual({ ran: 1, recorded: RECORDED[leads] });
        await expectWell(faulty, fault);
      },
    );

    it('and many callers come at once, none of them runs, and all of them do afterwards', async () => {
      const tokens = await Promise.all(
        Array.from({ length: MANY }, (_, index) =>
          issuer.token({ sub: `caller-${index}`, tenant: 'acme', scope: 'crm:write' }),
        ),
      );
      const actAll = () => Promise.all(tokens.map((each) => faulty.act(each)));
      const { answer, ran } = await faulty.watch(async () => {
        const repair = await fault.strike(faulty.database);
        const answers = [...(await actAll()), ...(await actAll())];
        expect(await faulty.database.connections()).toBeLessThanOrEqual(POOL);
        await repair();
        return answers;
      });
      answer.forEach(expectUnavailable);
      expect(ran).toEqual([]);
      const isWell = (all: readonly Answer[]) => all.every(({ status }) => status === 200);
      if (fault.healsSlowly) await eventually(actAll, isWell);
      const after = await faulty.watch(actAll);
      expect(after.answer.map(({ status }) => status)).toEqual(tokens.map(() => 200));
      expect(after.ran).toHaveLength(MANY);
    });
  });
}

/** What a process leaves that was killed in the middle of a call, and how one comes to be killed there. */
interface Killing<D> {
  readonly moment: string;
  readonly options?: { readonly stopAt: Moment };
  /** Calls, and sees to it that the process is killed on the way. */
  readonly kill: (server: WatchedServer, database: D) => Promise<Answer | undefined>;
  readonly ran: number;
  readonly recorded: readonly string[];
}

const act = () => ({ token, ...toolCall('act') });

const KILLED_AT_MOMENTS: readonly Killing<FaultyDatabase>[] = [
  { stopAt: MOMENTS[0], ran: 0, recorded: [] },
  { stopAt: MOMENTS[1], ran: 0, recorded: ['attempt'] },
  { stopAt: MOMENTS[2], ran: 1, recorded: ['attempt'] },
].map(({ stopAt, ran, recorded }) => ({
  moment: stopAt,
  options: { stopAt },
  kill: async (server) => {
    const answer = server.send(act());
    await server.stopped(1);
    await server.kill();
    return answer;
  },
  ran,
  recorded,
}));

const KILLED_IN_SQLITE: Killing<FaultySqlite> = {
  moment: 'during the outcome, inside of the transaction',
  kill: async (server, database) => {
    const lift = await database.onRecord('outcome', `SELECT ${KILL}()`);
    const answer = await server.send(act());
    await server.ended;
    await lift();
    return answer;
  },
  ran: 1,
  recorded: ['attempt'],
};

function killedInPostgres(lost: Lost, recorded: readonly string[]): Killing<FaultyPostgres> {
  return {
    moment: `during the outcome, ${lost} being lost`,
    kill: async (server, { proxy }) => {
      const caught = proxy.catchOutcome(lost);
      const answer = server.send(act());
      await caught;
      await server.kill();
      return answer;
    },
    ran: 1,
    recorded,
  };
}

function killMatrix<D extends FaultyDatabase>(
  name: string,
  start: () => Promise<D>,
  killings: readonly Killing<D>[],
): void {
  describe(`When the process is killed that records in ${name}`, () => {
    const effects = newEffects();
    const answered: string[] = [];
    let database: D;

    beforeAll(async () => {
      database = await start();
    });
    afterAll(() => database.stop());

    const account = async () => (await Account.read(database.direct)) ?? new Account([]);
    const startServer = (options: { readonly stopAt?: Moment } = {}) =>
      WatchedServer.start({
        issuer: issuer.url,
        database: database.processOptions,
        effects: effects.file,
        ...options,
      });

    it.each(killings)('$moment, nobody is answered, and the next process works', async (killing) => {
      const server = await startServer(killing.options);
      const [before, did] = [(await account()).rows.length, effects.read().length];
      const answer = await killing.kill(server, database);
      expect(await server.ended).toEqual({ code: null, signal: 'SIGKILL' });
      expect(answer).toBeUndefined();

      const [left, ran] = [(await account()).rows.slice(before), effects.read().slice(did)];
      expect(left.map(({ kind }) => kind)).toEqual(killing.recorded);
      expect(ran).toEqual(killing.ran === 0 ? [] : [left[0]?.call]);

      const next = await startServer();
      const given = callAnswered((await next.send(act()))?.text ?? '');
      expect(await next.terminate()).toMatchObject({ code: 0 });
      answered.push(given ?? 'nothing');
      expect(effects.read().slice(did + ran.length)).toEqual([given]);
      expect((await account()).brokenPromises(effects.read(), answered)).toEqual([]);
      expect((await account()).rows).toHaveLength(before + left.length + 2);
    });
  });
}

killMatrix('an SQLite file', async () => new FaultySqlite(), [...KILLED_AT_MOMENTS, KILLED_IN_SQLITE]);
killMatrix('PostgreSQL', newPostgres, [
  ...KILLED_AT_MOMENTS,
  killedInPostgres('the question', ['attempt']),
  killedInPostgres('the answer', ['attempt', 'outcome']),
]);

faultMatrix('the SQLite file of the audit', async () => new FaultySqlite(), SQLITE_FAULTS);
faultMatrix('the PostgreSQL of the audit', newPostgres, POSTGRES_FAULTS);

describe('When PostgreSQL ends every connection of the audit, as when another takes its place', () => {
  it('nothing is lost, and calls work again once this side has noticed', async () => {
    const faulty = await FaultyServer.start(await newPostgres());
    const tell = 'SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity';
    const { database } = faulty;
    expect((await faulty.act()).status).toBe(200);
    const ended = await database.sql(
      `${tell} WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    expect(ended).toContainEqual({ ended: true });
    await eventually(
      () => database.connections(),
      (connections) => connections === 0,
    );
    // A call that is given a connection before its end has been read is refused: nothing ran, and it can be made again.
    const { status } = await eventually(
      () => faulty.act(),
      (answer) => answer.status !== 503,
    );
    expect(status).toBe(200);
    expect(await faulty.brokenPromises()).toEqual([]);
    await faulty.close();
  });
});
