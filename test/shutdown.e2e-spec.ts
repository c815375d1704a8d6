import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { Account } from './support/account.js';
import { LOG_KEY, startLog } from './support/audit-log.js';
import { lockFile } from './support/broken-audit.js';
import { compiledSources } from './support/compiled-sources.js';
import { eventually } from './support/eventually.js';
import { TIMEOUT_MS, type FaultyDatabase, type Repair } from './support/faulty-database.js';
import { FaultyPostgres } from './support/faulty-postgres.js';
import { FaultySqlite } from './support/faulty-sqlite.js';
import { TestIssuer } from './support/issuer.js';
import { toolCall, type Answer } from './support/messages.js';
import { callAnswered, Effects } from './support/moments.js';
import { openSocket, rawMessage } from './support/raw-http.js';
import { startPostgres, type RunningPostgres } from './support/postgres.js';
import { WatchedServer } from './support/watched-server.js';
import type { WatchedServerOptions } from './support/watched-server.main.js';

const CALLERS = 6;
const WELL = { code: 0, signal: null };

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

const act = (signal?: AbortSignal) => ({ token, ...toolCall('act'), ...(signal && { signal }) });

/** A server that is told to end, and what it leaves behind. */
class Ending<D extends FaultyDatabase> {
  readonly #directory = mkdtempSync(join(tmpdir(), 'sallyport-shutdown-'));
  readonly effects = new Effects(join(this.#directory, 'effects'));
  readonly #log = { key: LOG_KEY.signerKey, state: { file: join(this.#directory, 'log.state') } };

  constructor(readonly database: D) {}

  start(options: Partial<WatchedServerOptions> = {}): Promise<WatchedServer> {
    return WatchedServer.start({
      issuer: issuer.url,
      database: this.database.processOptions,
      effects: this.effects.file,
      log: this.#log,
      ...options,
    });
  }

  async account(): Promise<Account> {
    return (await Account.read(this.database.direct)) ?? new Account([]);
  }

  /** What is on record of each call that did something. */
  async recorded(): Promise<string[][]> {
    const account = await this.account();
    return this.effects.read().map((call) => account.of(call));
  }

  /** The newest record, when it is of an administrative change. */
  async lastAction(): Promise<string | null | undefined> {
    const reader = await new DataSource({ ...this.database.direct }).initialize();
    const [last] = await reader.query<{ action: string | null }[]>(
      'SELECT action FROM sallyport_audit ORDER BY seq DESC LIMIT 1',
    );
    await reader.destroy();
    return last?.action;
  }

  async verified() {
    const reader = await startLog(this.database.direct, this.#log);
    const report = await reader.log.verify();
    await reader.close();
    return report;
  }
}

/** The calls that the answers hold the results of. */
function resultsIn(answers: readonly (Answer | undefined)[]): string[] {
  return answers.flatMap((answer) => callAnswered(answer?.text ?? '') ?? []);
}

/** `hang`: nothing can be recorded from then on, and nobody says so. */
function shutdown<D extends FaultyDatabase>(
  newDatabase: () => Promise<D>,
  hang: (database: D) => Promise<Repair>,
): void {
  let ending: Ending<D>;

  beforeEach(async () => {
    ending = new Ending(await newDatabase());
  });
  afterEach(() => ending.database.stop());

  it('answers the calls that run, records how they ended and that it stopped, and signs it all', async () => {
    const server = await ending.start({ stopAt: 'after the handler' });
    const answers = Array.from({ length: CALLERS }, () => server.send(act()));
    await server.stopped(CALLERS);
    server.signal('SIGTERM');
    await server.toldToEnd();
    server.goOn();
    expect(resultsIn(await Promise.all(answers)).toSorted()).toEqual(ending.effects.read().toSorted());
    expect(await server.ended).toEqual(WELL);
    expect(await ending.recorded()).toEqual(Array.from({ length: CALLERS }, () => ['attempt', 'completed']));
    expect(await ending.lastAction()).toBe('server.stopped');
    expect(await ending.verified()).toMatchObject({ ok: true, pending: 0, unsigned: 0 });
  });

  it('loses nothing of what comes while it ends', async () => {
    const server = await ending.start();
    const answers: (Answer | undefined)[] = [];
    const callers = Array.from({ length: CALLERS }, async () => {
      while (answers.push(await server.send(act())) && answers.at(-1) !== undefined) continue;
    });
    await eventually(
      async () => answers.length,
      (count) => count > 2 * CALLERS,
    );
    expect(await server.terminate()).toEqual(WELL);
    await Promise.all(callers);
    const account = await ending.account();
    expect(account.brokenPromises(ending.effects.read(), resultsIn(answers))).toEqual([]);
    expect(account.outcomes).toHaveLength(account.attempts.length);
    expect(await ending.lastAction()).toBe('server.stopped');
  });

  it('records the end of a call whose client is gone', async () => {
    const server = await ending.start({ stopAt: 'after the handler' });
    const client = new AbortController();
    const answer = server.send(act(client.signal));
    await server.stopped(1);
    client.abort();
    expect(await answer.catch(() => undefined)).toBeUndefined();
    server.signal('SIGTERM');
    await server.toldToEnd();
    server.goOn();
    expect(await server.ended).toEqual(WELL);
    expect(await ending.recorded()).toEqual([['attempt', 'aborted']]);
  });

  it('tells calls to stop that take longer than it waits, records that they did, and says so', async () => {
    const server = await ending.start({ drainSeconds: 1 });
    const answer = server.send({ token, ...toolCall('wait') });
    const [call] = await eventually(
      async () => ending.effects.read(),
      ({ length }) => length === 1,
    );
    expect(await server.terminate()).toEqual(WELL);
    expect((await answer)?.error).toMatchObject({ data: { reason: 'shutdown', reference: call } });
    expect(await ending.recorded()).toEqual([['attempt', 'aborted']]);
    expect(await ending.lastAction()).toBe('server.stopped');
  });

  it('cuts off who waits for a call that does not stop, whose attempt stays ambiguous', async () => {
    const server = await ending.start({ drainSeconds: 1, stopAt: 'after the handler' });
    const answer = server.send(act());
    await server.stopped(1);
    expect(await server.terminate()).toEqual(WELL);
    expect(await answer).toBeUndefined();
    expect(await ending.recorded()).toEqual([['attempt']]);
    expect(await ending.lastAction()).toBe('server.stopped');
    expect(await ending.verified()).toMatchObject({ ok: true, pending: 0, unsigned: 0 });
  });

  it('does not wait for connections over which a request never comes, or not all of it', async () => {
    const server = await ending.start();
    const port = Number(new URL((await server.url) ?? '').port);
    const sockets = [await openSocket(port), await openSocket(port), await openSocket(port)];
    sockets[1]?.write('POST /mcp HTTP/1.1\r\nHost: 127');
    sockets[2]?.write(rawMessage(act()).subarray(0, -1));
    const ends = sockets.map((socket) => new Promise((resolve) => socket.resume().once('close', resolve)));
    expect(await server.terminate()).toEqual(WELL);
    await Promise.all(ends);
    expect(await ending.lastAction()).toBe('server.stopped');
  });

  it('ends when nothing can be recorded any more, and withholds what it could not record', async () => {
    const server = await ending.start({ timeoutMs: TIMEOUT_MS, stopAt: 'after the handler' });
    const answer = server.send(act());
    await server.stopped(1);
    const repair = await hang(ending.database);
    server.signal('SIGTERM');
    await server.toldToEnd();
    server.goOn();
    expect((await answer)?.error).toMatchObject({ data: { reason: 'outcome_unrecorded' } });
    expect(await server.ended).toEqual(WELL);
    await repair();
    expect(await ending.recorded()).toEqual([['attempt']]);
  });
}

describe('A server that records in an SQLite file and is told to end', () =>
  shutdown(
    async () => new FaultySqlite(),
    ({ file }) => lockFile(file),
  ));

describe('A server that records in PostgreSQL and is told to end', () => {
  let databases = 0;
  const start = async () =>
    FaultyPostgres.start(await postgres.createDatabase(`shutdown_${(databases += 1)}`));
  shutdown(start, async ({ proxy }) => {
    proxy.silence();
    return async () => proxy.heal();
  });
});
