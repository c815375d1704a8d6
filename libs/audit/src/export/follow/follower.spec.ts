import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { DataSource, type DataSourceOptions } from 'typeorm';

import { attempt } from '../../../../../test/support/audit-events.js';
import { eventually } from '../../../../../test/support/eventually.js';
import { DIALECTS, testDatabases } from '../../../../../test/support/test-databases.js';
import { AuditReader } from '../../audit.reader.js';
import { AuditStore } from '../../audit.store.js';
import { TypeOrmAuditTrail } from '../../audit.trail.js';
import { RecordWalk } from '../../reading/record-walk.js';
import { SettledRecords } from '../../reading/settled-records.js';
import { auditGrants } from '../../privileges/grants.js';
import { AuditFollower } from './audit-follower.entity.js';
import { AuditFollowers } from './audit-followers.js';
import type { AuditSink, SinkBatch } from './audit-sink.js';
import { fileSink } from './file.sink.js';
import { FollowerPositions } from './follower-positions.js';
import { Follower } from './follower.js';
import { httpSink } from './http.sink.js';

const databases = testDatabases('follow');

const TIMEOUT_MS = 5000;
/** A gap may be believed at once: the transactions decide. */
const NO_PATIENCE_MS = 0;

/** One process: its own connections. */
async function openProcess(
  database: DataSourceOptions,
  settings: Partial<Parameters<typeof AuditStore.open>[1]> = {},
) {
  const store = await AuditStore.open(database, { migrations: 'run', timeoutMs: TIMEOUT_MS, ...settings });
  databases.closeAfterTest(() => store.close());
  const trail = new TypeOrmAuditTrail(store, { timeoutMs: TIMEOUT_MS, maxQueued: 10_000 });
  const reader = new AuditReader(store);
  const walk = new RecordWalk(store, reader);
  const positions = new FollowerPositions((work) => store.store.run(work));
  const follow = (sink: AuditSink) => {
    const settled = new SettledRecords(store, walk, NO_PATIENCE_MS);
    const follower = new Follower({ sink, walk, settled, positions, onProblem: () => undefined });
    databases.closeAfterTest(() => follower.stop());
    return follower;
  };
  const record = async (count: number) => {
    const events = Array.from({ length: count }, () => attempt());
    await Promise.all(events.map((event) => trail.record(event)));
    return events.map(({ id }) => id);
  };
  return { store, reader, walk, positions, follow, record };
}

/** Keeps what it is given, unless it is told to fail before or after that. */
class MemorySink implements AuditSink {
  readonly name: string = 'memory';
  readonly format = 'jsonl' as const;
  readonly batches: SinkBatch[] = [];
  mood: 'well' | 'down' | 'answers get lost' | 'hangs' = 'well';

  async deliver(batch: SinkBatch): Promise<void> {
    if (this.mood === 'hangs') await new Promise(() => undefined);
    if (this.mood === 'down') throw new Error('It is down.');
    this.batches.push(batch);
    if (this.mood === 'answers get lost') throw new Error('The answer was lost.');
  }

  get ids(): string[] {
    return this.batches.flatMap(({ lines }) => lines.map((line) => String(JSON.parse(line).id)));
  }
}

const has = (ids: readonly string[]) => (received: readonly string[]) =>
  ids.every((id) => received.includes(id));

describe.each(DIALECTS)('A follower, on %s', (type) => {
  it('ships every record once and in order, more than one batch of them', async () => {
    const { follow, record, walk } = await openProcess(await databases.fresh(type));
    const sink = new MemorySink();
    const ids = await record(250);
    follow(sink).start();
    await eventually(() => Promise.resolve(sink.ids), has(ids));
    const all = await walk.seqsAbove(0, 1000);
    expect(sink.batches.flatMap(({ lines }) => lines.map((line) => JSON.parse(line).seq))).toEqual(all);
    expect(sink.batches.length).toBeGreaterThan(2);
  });

  it('goes on where it stopped, in another process', async () => {
    const database = await databases.fresh(type);
    const sink = new MemorySink();
    const one = await openProcess(database);
    const before = await one.record(5);
    const first = one.follow(sink);
    first.start();
    await eventually(() => Promise.resolve(sink.ids), has(before));
    await first.stop();
    const two = await openProcess(database);
    const after = await two.record(5);
    two.follow(sink).start();
    await eventually(() => Promise.resolve(sink.ids), has(after));
    expect([...sink.ids].sort()).toEqual([...before, ...after].sort());
  });

  it('waits for a sink that is down, and loses nothing', async () => {
    const { follow, record } = await openProcess(await databases.fresh(type));
    const sink = new MemorySink();
    sink.mood = 'down';
    const ids = await record(5);
    const follower = follow(sink);
    follower.start();
    await eventually(
      () => Promise.resolve(follower.status),
      ({ failure }) => failure !== undefined,
    );
    sink.mood = 'well';
    await eventually(() => Promise.resolve(sink.ids), has(ids));
    expect([...sink.ids].sort()).toEqual([...ids].sort());
    await eventually(
      () => Promise.resolve(follower.status),
      ({ failure }) => failure === undefined,
    );
  });

  it('delivers again what was not confirmed, rather than lose it', async () => {
    const { follow, record } = await openProcess(await databases.fresh(type));
    const sink = new MemorySink();
    sink.mood = 'answers get lost';
    const ids = await record(3);
    const follower = follow(sink);
    follower.start();
    await eventually(
      () => Promise.resolve(sink.batches.length),
      (count) => count > 0,
    );
    sink.mood = 'well';
    const more = await record(2);
    await eventually(() => Promise.resolve(sink.ids), has([...ids, ...more]));
    expect(sink.ids.filter((id) => id === ids[0]).length).toBeGreaterThan(1);
  });

  it('ships from one process at a time, and another takes over when it ends', async () => {
    const database = await databases.fresh(type);
    const [one, two] = [await openProcess(database), await openProcess(database)];
    const sink = new MemorySink();
    const first = one.follow(sink);
    const second = two.follow(sink);
    first.start();
    await eventually(
      () => Promise.resolve(first.status.state),
      (state) => state === 'shipping',
    );
    expect(await two.positions.hold(sink.name, 'somebody else')).toBeUndefined();
    await first.stop();
    const ids = await one.record(3);
    second.start();
    await eventually(() => Promise.resolve(sink.ids), has(ids));
    expect(second.status.state).toBe('shipping');
  });

  it('takes over from a process that was killed, once its lease is over', async () => {
    const { store, positions } = await openProcess(await databases.fresh(type));
    expect(await positions.hold('memory', 'killed')).toBe(0);
    expect(await positions.advance('memory', 'killed', 0, 7)).toBe(true);
    expect(await positions.hold('memory', 'next')).toBeUndefined();
    await store.dataSource.getRepository(AuditFollower).update({ name: 'memory' }, { leaseUntil: 1 });
    expect(await positions.hold('memory', 'next')).toBe(7);
    expect(await positions.advance('memory', 'killed', 7, 9)).toBe(false);
    expect(await positions.hold('memory', 'next')).toBe(7);
  });

  it('lets a server stop, whatever its sink does', async () => {
    const { follow, record } = await openProcess(await databases.fresh(type));
    const sink = new MemorySink();
    sink.mood = 'hangs';
    await record(1);
    const follower = follow(sink);
    follower.start();
    await eventually(
      () => Promise.resolve(follower.status.state),
      (state) => state === 'shipping',
    );
    await follower.stop();
    expect(follower.status.state).toBe('stopped');
  });

  it.each([0, 1, 5, 20])('stops at once %i ms after it began, wherever it is', async (delay) => {
    const { follow, record } = await openProcess(await databases.fresh(type));
    const sink = new MemorySink();
    sink.mood = 'hangs';
    await record(1);
    const follower = follow(sink);
    follower.start();
    await sleep(delay);
    await follower.stop();
    expect(follower.status.state).toBe('stopped');
  });
});

describe('Numbers that are committed out of order, on postgres', () => {
  /** A transaction that holds a number which is lower than those that are committed meanwhile. */
  async function lateWriter(database: DataSourceOptions) {
    const application = await new DataSource({ ...database }).initialize();
    databases.closeAfterTest(() => application.destroy());
    const runner = application.createQueryRunner();
    await runner.startTransaction();
    await runner.query(
      `INSERT INTO sallyport_audit (id, at, kind, via, server, resource)
       VALUES ('late', 1790000000000, 'list', 'http', 's', 'r')`,
    );
    return {
      commit: () => runner.commitTransaction().then(() => runner.release()),
      abort: () => runner.rollbackTransaction().then(() => runner.release()),
    };
  }

  it('are waited for, and shipped in order', async () => {
    const database = await databases.fresh('postgres');
    const { follow, record } = await openProcess(database);
    const before = await record(2);
    const late = await lateWriter(database);
    const after = await record(3);
    const sink = new MemorySink();
    follow(sink).start();
    await eventually(() => Promise.resolve(sink.ids), has(before));
    // Several looks, none of which may pass the number that is missing.
    await sleep(2500);
    expect([...sink.ids].sort()).toEqual([...before].sort());
    await late.commit();
    await eventually(() => Promise.resolve(sink.ids), has([...after, 'late']));
    expect(sink.ids.indexOf('late')).toBe(2);
    expect(sink.ids).toHaveLength(6);
  });

  it('that were taken for nothing hold nobody up for long', async () => {
    const database = await databases.fresh('postgres');
    const { follow, record } = await openProcess(database);
    const before = await record(1);
    const late = await lateWriter(database);
    const after = await record(2);
    await late.abort();
    const sink = new MemorySink();
    follow(sink).start();
    await eventually(() => Promise.resolve(sink.ids), has([...before, ...after]));
  });

  it('are no younger than a statement may be, when a gap is believed', async () => {
    const database = await databases.fresh('postgres');
    const { store, walk, record } = await openProcess(database);
    await record(1);
    await (await lateWriter(database)).abort();
    await record(1);
    const patient = new SettledRecords(store, walk, 60_000);
    expect([await patient.upTo(0), await patient.upTo(0), await patient.upTo(0)]).toEqual([1, 1, 1]);
  });
});

it('A follower needs no more on postgres than what `audit grants` gives', async () => {
  const database = await databases.postgres.createDatabase('follow_granted');
  const { store, record } = await openProcess(database);
  const ids = await record(3);
  await store.dataSource.query("CREATE ROLE follower LOGIN PASSWORD 'app'");
  for (const statement of auditGrants('follower')) await store.dataSource.query(statement);
  const served = { ...database, username: 'follower', password: 'app' };
  const { follow } = await openProcess(served, { migrations: 'check', privileges: 'check' });
  const sink = new MemorySink();
  follow(sink).start();
  await eventually(() => Promise.resolve(sink.ids), has(ids));
});

describe('A file sink', () => {
  const batch = (...lines: string[]): SinkBatch => ({ lines, first: 1, last: lines.length });
  const signal = new AbortController().signal;

  it('appends lines, and takes up a file that was rotated', async () => {
    const path = databases.file('jsonl');
    const sink = fileSink(path);
    await sink.deliver(batch('{"id":1}', '{"id":2}'), signal);
    await sink.deliver(batch('{"id":3}'), signal);
    expect(await readFile(path, 'utf8')).toBe('{"id":1}\n{"id":2}\n{"id":3}\n');
    await rm(path);
    await sink.deliver(batch('{"id":4}'), signal);
    expect(await readFile(path, 'utf8')).toBe('{"id":4}\n');
  });

  it.each([
    ['half a line', '{"id":1}\n{"id":', '{"id":1}\n'],
    ['half of the first line', '{"id":', ''],
    ['a long half line', `{"id":1}\n${'x'.repeat(200_000)}`, '{"id":1}\n'],
  ])('takes %s away that a killed process has left', async (_what, left, kept) => {
    const path = databases.file('jsonl');
    await writeFile(path, left);
    await fileSink(path).deliver(batch('{"id":2}'), signal);
    expect(await readFile(path, 'utf8')).toBe(`${kept}{"id":2}\n`);
  });
});

describe('An HTTP sink', () => {
  let server: Server;
  let url: string;
  let status = 204;
  const received: { body: string; type: string | undefined; authorization: string | undefined }[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      request.on('end', () => {
        const { 'content-type': type, authorization } = request.headers;
        received.push({ body, type, authorization });
        response.writeHead(status, status === 307 ? { location: url } : {}).end();
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/ingest`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));
  beforeEach(() => {
    received.length = 0;
  });

  const deliver = (signal = new AbortController().signal) =>
    httpSink(url, { token: 'secret-token' }).deliver(
      { lines: ['{"id":1}', '{"id":2}'], first: 1, last: 2 },
      signal,
    );

  it('posts lines with its token', async () => {
    status = 204;
    await deliver();
    expect(received).toEqual([
      { body: '{"id":1}\n{"id":2}\n', type: 'application/x-ndjson', authorization: 'Bearer secret-token' },
    ]);
  });

  it.each([500, 401, 307])('takes %i for no confirmation, and says nothing of the token', async (answer) => {
    status = answer;
    const error: unknown = await deliver().catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: 'SinkError' });
    expect(String(error)).not.toContain('secret-token');
    expect(received).toHaveLength(1);
  });

  it('gives up when told', async () => {
    await expect(deliver(AbortSignal.abort())).rejects.toThrow('did not answer in time');
  });

  it('keeps its position under a name without a query', () => {
    expect(httpSink('https://siem.example/in?key=abc').name).toBe('https://siem.example/in');
  });

  it.each(['http://siem.example/in', 'https://user:pw@siem.example/in', 'ftp://x/y', 'nothing'])(
    'refuses %s',
    (bad) => {
      expect(() => httpSink(bad)).toThrow('httpSink takes an https URL');
    },
  );
});

describe('The followers of a server', () => {
  it('refuse what is no sink, and two of one name', async () => {
    const { store, reader } = await openProcess(await databases.fresh('better-sqlite3'));
    const open = (...sinks: unknown[]) =>
      new AuditFollowers(store, reader, { sinks: sinks as AuditSink[], timeoutMs: TIMEOUT_MS });
    expect(() => open('data/audit.jsonl')).toThrow('audit.followers must be a list of sinks');
    expect(() => open(fileSink('a'), fileSink('a'))).toThrow('two sinks named file:a');
    expect(open(fileSink('a'), fileSink('b')).status).toMatchObject([{ name: 'file:a', state: 'idle' }, {}]);
  });
});
