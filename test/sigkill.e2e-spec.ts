import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSourceOptions } from 'typeorm';
import { Account } from './support/account.js';
import { LOG_KEY, startLog } from './support/audit-log.js';
import { compiledSources } from './support/compiled-sources.js';
import { eventually } from './support/eventually.js';
import { TestIssuer } from './support/issuer.js';
import { toolCall } from './support/messages.js';
import { callAnswered, Effects } from './support/moments.js';
import { startPostgres, type RunningPostgres } from './support/postgres.js';
import { seeded } from './support/seeded.js';
import { WatchedServer } from './support/watched-server.js';

/** Kills in all, a fifth of them on PostgreSQL. CI does more than a developer waits for. */
const KILLS = Number(process.env['SALLYPORT_SIGKILLS'] ?? 60);
/** Give the one that was printed to have the same moments again. */
const SEED = Number(process.env['SALLYPORT_SEED'] ?? Date.now() % 2 ** 32);
/** One after the other on the same database. */
const KILLS_PER_DATABASE = 10;
const CALLERS = 8;
const AT_A_TIME = 3;
/** A server is killed after so many answers at most, and a little later: while others of its calls are under way. */
const MOST_ANSWERS = 25;
const LITTLE_MS = 30;
/** Or within this time of being started: before it boots, and while it does. */
const BOOT_MS = 1500;
const KILLED_WHILE_BOOTING = 0.1;
/** A slow machine takes about 3 seconds for each. */
const MOST_MS = KILLS * 6000 + 60_000;

const random = seeded(SEED);

let issuer: TestIssuer;
let postgres: RunningPostgres;
let token: string;

beforeAll(async () => {
  [issuer, postgres] = await Promise.all([TestIssuer.start(), startPostgres(), compiledSources()]);
  token = await issuer.token({ tenant: 'acme', scope: 'crm:write', lives: 3600 });
});
afterAll(async () => {
  await WatchedServer.killAll();
  await Promise.all([issuer.stop(), postgres.stop()]);
});

/** Processes that live and die one after the other on one database, and what they have left behind. */
class Succession {
  readonly #directory = mkdtempSync(join(tmpdir(), 'sallyport-sigkill-'));
  readonly #effects = new Effects(join(this.#directory, 'effects'));
  readonly #log = { key: LOG_KEY.signerKey, state: { file: join(this.#directory, 'log.state') } };
  /** Calls whose result somebody was given. */
  readonly #answered: string[] = [];
  #signed = 0;
  /** Everything that any of them said. */
  output = '';

  constructor(private readonly database: DataSourceOptions) {}

  /** One that is killed at a random moment: as it boots, or while it is called without pause. */
  async liveAndDie(): Promise<void> {
    const server = await this.#spawn();
    const calls = random() < KILLED_WHILE_BOOTING ? [] : this.#callWithoutPause(server);
    const [answers, later] = [Math.floor(random() * MOST_ANSWERS), random()];
    if (calls.length > 0) await this.#answers(server, answers);
    await sleep(later * (calls.length > 0 ? LITTLE_MS : BOOT_MS));
    const ending = await server.kill();
    await Promise.all(calls);
    this.output += server.output;
    // Else it has ended by itself, and what it said tells why.
    expect({ ...ending, said: server.output }).toMatchObject({ signal: 'SIGKILL' });
  }

  /** The last one: it is told to end, and leaves nothing open but what the others have. */
  async liveAndRest(): Promise<void> {
    const before = (await this.#account()).rows.length;
    const server = await this.#spawn();
    await this.#call(server);
    expect(await server.terminate()).toMatchObject({ code: 0 });
    this.output += server.output;
    expect((await this.#account()).rows.slice(before).map(({ status }) => status)).toEqual([
      null,
      'completed',
    ]);
  }

  /** @returns how many records there are, how many of them in the signed log, and what is wrong */
  async examine() {
    const brokenPromises = (await this.#account()).brokenPromises(this.#effects.read(), this.#answered);
    const reader = await startLog(this.database, this.#log);
    const report = await reader.log.verify();
    await reader.close();
    const signed = report.leaves - report.unsigned;
    const wentBack = signed < this.#signed;
    this.#signed = signed;
    return { report, brokenPromises, wentBack };
  }

  get count() {
    return { effects: this.#effects.read().length, answered: this.#answered.length };
  }

  #spawn(): Promise<WatchedServer> {
    return WatchedServer.spawn({
      issuer: issuer.url,
      database: this.database,
      effects: this.#effects.file,
      log: this.#log,
    });
  }

  async #account(): Promise<Account> {
    return (await Account.read(this.database)) ?? new Account([]);
  }

  /** Several callers, until nobody answers any more. */
  #callWithoutPause(server: WatchedServer): Promise<void>[] {
    return Array.from({ length: CALLERS }, async () => {
      while (await this.#call(server)) continue;
    });
  }

  /** Until it listens and has given so many answers, or is no more. */
  async #answers(server: WatchedServer, count: number): Promise<void> {
    const before = this.#answered.length;
    await server.url;
    await eventually(
      async () => this.#answered.length - before,
      (answered) => answered >= count || server.hasEnded,
    );
  }

  /** Whether somebody answered. */
  async #call(server: WatchedServer): Promise<boolean> {
    const answer = await server.send({ token, ...toolCall('act') });
    const call = callAnswered(answer?.text ?? '');
    if (call !== undefined) this.#answered.push(call);
    return answer !== undefined;
  }
}

/** So many kills, on a few databases at a time. */
async function killAll(kills: number, newDatabase: () => Promise<DataSourceOptions>): Promise<void> {
  let left = kills;
  const totals = { kills: 0, effects: 0, answered: 0 };
  const work = async () => {
    while (left > 0) {
      const share = Math.min(left, KILLS_PER_DATABASE, Math.ceil(kills / AT_A_TIME));
      left -= share;
      const succession = new Succession(await newDatabase());
      await outlive(succession, share);
      totals.kills += share;
      totals.effects += succession.count.effects;
      totals.answered += succession.count.answered;
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  expect(totals.kills).toBe(kills);
  // They died at work, not before they did anything.
  expect(totals.effects).toBeGreaterThanOrEqual(kills);
  expect(totals.answered).toBeGreaterThanOrEqual(kills);
}

/**
 * That nobody has continued or signed the log for a minute: true where a slow machine kills several servers in a row before
 * any of them came to it, and not of the last one, which lives as long as that takes.
 */
const LEFT_OFF: readonly string[] = ['log_unsigned', 'record_unlogged'];

async function outlive(succession: Succession, kills: number): Promise<void> {
  for (let kill = 1; kill <= kills; kill += 1) {
    await succession.liveAndDie();
    const { report, brokenPromises, wentBack } = await succession.examine();
    const findings = report.findings.filter(({ code }) => !LEFT_OFF.includes(code));
    expect({ kill, brokenPromises, wentBack, findings }).toEqual({
      kill,
      brokenPromises: [],
      wentBack: false,
      findings: [],
    });
  }
  await succession.liveAndRest();
  const { report, brokenPromises } = await succession.examine();
  expect(report).toMatchObject({ ok: true, pending: 0, unsigned: 0 });
  expect(brokenPromises).toEqual([]);
  expect(succession.output).not.toContain('not signed any more');
}

const onPostgres = Math.ceil(KILLS / 5);

describe(`Servers that are killed at random moments (SALLYPORT_SEED=${SEED})`, () => {
  it(
    `leave no effect without an attempt, no answer without an outcome, and a log that goes on: ${KILLS - onPostgres} times on SQLite`,
    () =>
      killAll(KILLS - onPostgres, async () => ({
        type: 'better-sqlite3',
        database: join(mkdtempSync(join(tmpdir(), 'sallyport-sigkill-')), 'audit.sqlite'),
      })),
    MOST_MS,
  );

  it(
    `and ${onPostgres} times on PostgreSQL`,
    () => {
      let databases = 0;
      return killAll(onPostgres, () => postgres.createDatabase(`killed_${(databases += 1)}`));
    },
    MOST_MS,
  );
});
