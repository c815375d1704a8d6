import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { tileReader, rootOf, type TileAt } from '@sallyport/tlog';
import type { DataSourceOptions } from 'typeorm';

import { eventually } from '../../../../../test/support/eventually.js';
import { startPostgres, type RunningPostgres } from '../../../../../test/support/postgres.js';
import {
  KEY,
  LOG_NAME,
  newDirectory,
  newestRow,
  openLoggedTrail,
  type LoggedTrail,
} from '../audit-log.fixture.js';
import { LogKeys } from '../log-keys.js';
import { checkpointDatabase } from './checkpoint-database.js';
import { checkpointFile } from './checkpoint-file.js';
import type { CheckpointPublisher } from './checkpoint-publisher.js';
import { checkpointUrl } from './checkpoint-url.js';
import { Publishing } from './publishing.js';
import { tileDirectory } from './tile-directory.js';

const KEYS = new LogKeys(LOG_NAME, [KEY.verifierKey]);
const NO_TILES = { readTile: () => Promise.reject(new Error('Nobody should ask.')) };
const opened: LoggedTrail[] = [];
const servers: Server[] = [];

afterEach(async () => {
  for (const { close } of opened.splice(0)) await close();
  for (const server of servers.splice(0)) server.close();
});

async function logWith(publish: CheckpointPublisher[], file = join(newDirectory(), 'audit.sqlite')) {
  const logged = await openLoggedTrail({ type: 'better-sqlite3', database: file }, { publish });
  opened.push(logged);
  return logged;
}

/** A log of one record whose state file remembers it, so that it is signed whether or not a publisher answers. */
async function logWithState(publish: CheckpointPublisher[]) {
  const file = join(newDirectory(), 'audit.sqlite');
  const state = { file: `${file}.state` };
  const first = await openLoggedTrail({ type: 'better-sqlite3', database: file }, { state });
  await first.record(1);
  await first.signed(1);
  await first.close();
  const logged = await openLoggedTrail({ type: 'better-sqlite3', database: file }, { state, publish });
  opened.push(logged);
  return logged;
}

/** Keeps one text, for who knows the token; can be told to fail. */
async function evidenceServer() {
  const state = { note: undefined as string | undefined, failing: false, seen: [] as string[] };
  const server = createServer((request, response) => {
    state.seen.push(`${request.method} ${request.headers.authorization}`);
    if (state.failing) return void response.writeHead(503).end();
    if (request.method === 'GET')
      return void response.writeHead(state.note === undefined ? 404 : 200).end(state.note);
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      state.note = body;
      response.writeHead(204).end();
    });
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { state, url: `http://127.0.0.1:${port}/checkpoint` };
}

async function untilHolds(publisher: CheckpointPublisher, size: number): Promise<void> {
  await eventually(
    async () => (await publisher.latest()) ?? '',
    (note) => note !== '' && KEYS.open(note).size >= size,
  );
}

describe('a published checkpoint', () => {
  it('is kept in a file, whole or not at all', async () => {
    const directory = newDirectory();
    const publisher = checkpointFile(join(directory, 'deep', 'checkpoint'));
    expect(await publisher.latest()).toBeUndefined();
    const { record } = await logWith([publisher]);
    await record(3);
    await untilHolds(publisher, 3);
    expect(readdirSync(join(directory, 'deep'))).toEqual(['checkpoint']);
  });

  it('is kept behind a URL, with the token', async () => {
    const { state, url } = await evidenceServer();
    const publisher = checkpointUrl(url, { token: 'hunter2' });
    const { record } = await logWith([publisher]);
    await record(3);
    await untilHolds(publisher, 3);
    expect(new Set(state.seen)).toEqual(new Set(['GET Bearer hunter2', 'PUT Bearer hunter2']));
    expect(publisher.name).not.toContain('hunter2');
  });

  it.each([
    'http://evidence.example/x',
    'ftp://localhost/x',
    'https://user:secret@evidence.example/',
    'evidence',
  ])('goes to no such URL as %s', (url) => {
    expect(() => checkpointUrl(url)).toThrow(/takes an https URL/);
  });

  it('says nothing of its token when that cannot be sent', async () => {
    const { url } = await evidenceServer();
    const { record, signed, problems } = await logWithState([
      checkpointUrl(url, { token: 'hunter2\u0001x' }),
    ]);
    await record(1);
    await signed(2);
    expect(problems.join()).toContain('could not reach');
    expect(problems.join()).not.toContain('hunter2');
  });

  it('does not follow a redirect with its token', async () => {
    const { state, url } = await evidenceServer();
    const redirecting = createServer((_, response) => void response.writeHead(307, { location: url }).end());
    servers.push(redirecting.listen(0, '127.0.0.1'));
    await once(redirecting, 'listening');
    const { port } = redirecting.address() as AddressInfo;
    const publisher = checkpointUrl(`http://127.0.0.1:${port}/`, { token: 'hunter2' });
    await expect(publisher.latest()).rejects.toThrow();
    await expect(publisher.publish({ size: 1, note: 'x', tiles: NO_TILES })).rejects.toThrow();
    expect(state.seen).toEqual([]);
  });

  it('reaches its place later when that was down, and the log is signed meanwhile', async () => {
    const { state, url } = await evidenceServer();
    state.failing = true;
    const publisher = checkpointUrl(url);
    const { record, signed, problems } = await logWithState([publisher]);
    await record(2);
    await signed(3);
    expect(problems.join()).toContain('could not reach');
    expect(problems.join()).toContain(new URL(url).origin);
    state.failing = false;
    await record(1);
    await signed(4);
    await eventually(
      async () => {
        await record(1);
        return state.note ?? '';
      },
      (note) => note !== '' && KEYS.open(note).size >= 4,
    );
  });

  it('is a memory: a log that it contradicts is not signed', async () => {
    const directory = newDirectory();
    const publisher = checkpointFile(join(directory, 'checkpoint'));
    const first = await logWith([publisher], join(directory, 'first.sqlite'));
    await first.record(5);
    await untilHolds(publisher, 5);
    const before = readFileSync(join(directory, 'checkpoint'), 'utf8');

    const other = await logWith([publisher], join(directory, 'other.sqlite'));
    await other.record(2);
    await eventually(
      async () => other.log.status,
      (status) => status?.refusal !== undefined,
    );
    expect(other.log.status?.refusal?.code).toBe('log_went_backwards');
    expect(await newestRow(other.rows)).toBeUndefined();
    expect(readFileSync(join(directory, 'checkpoint'), 'utf8')).toBe(before);
  });

  it('stays a memory when its place contradicts the log once and cannot be reached afterwards', async () => {
    const published: string[] = [];
    let answers = 0;
    const publisher: CheckpointPublisher = {
      name: 'the flaky one',
      publish: async ({ note }) => void published.push(note),
      latest: () => {
        answers += 1;
        return answers === 1 ? Promise.resolve('a contradiction') : Promise.reject(new Error('Gone.'));
      },
    };
    const publishing = new Publishing([publisher], () => undefined);
    for (let round = 0; round < 3; round += 1) {
      const [memory] = await publishing.memories();
      expect(memory?.note).toBe('a contradiction');
      // The signer refuses.
      publishing.forget();
    }
    await publishing.memories();
    publishing.offer({ size: 1, note: 'over it', tiles: NO_TILES });
    await publishing.stop(100);
    expect(published).toEqual([]);
  });

  it('holds up neither a shutdown nor a verification when its place does not answer', async () => {
    const never = () => new Promise<never>(() => undefined);
    const publisher: CheckpointPublisher = { name: 'nowhere', publish: never, latest: never, close: never };
    const logged = await logWithState([publisher]);
    const why = 'It did not answer in time.';
    expect(await logged.log.verify()).toMatchObject({ ok: true, notCompared: [{ name: 'nowhere', why }] });
    expect(await logged.log.warnings()).toEqual([
      'What was signed cannot be compared with nowhere: It did not answer in time.',
    ]);
    await logged.record(1);
    await logged.close();
    expect(opened.pop()).toBe(logged);
  }, 60_000);

  it('stands with the tiles of its tree as static files', async () => {
    const directory = newDirectory();
    const publisher = tileDirectory(directory);
    const { record } = await logWith([publisher]);
    await record(300);
    await untilHolds(publisher, 300);
    const { size, root } = KEYS.open(readFileSync(join(directory, 'checkpoint'), 'utf8'));
    const readTile = async ({ level, index, width }: TileAt) => {
      const name = width === 256 ? `00${index}` : `00${index}.p/${width}`;
      return readFileSync(join(directory, 'tile', String(level), name));
    };
    expect(await rootOf(size, tileReader(size, { readTile }))).toEqual(root);
  });

  it('is tried until a directory can be written', async () => {
    const directory = newDirectory();
    // A directory in the place of the file: writing fails, as reading does.
    mkdirSync(join(directory, 'checkpoint'));
    const { record, signed, problems } = await logWithState([checkpointFile(join(directory, 'checkpoint'))]);
    await record(1);
    await signed(2);
    expect(problems.join()).toContain('could not reach');
  });
});

describe('checkpoints in another database', () => {
  let postgres: RunningPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  it.each(['better-sqlite3', 'postgres'] as const)(
    'are added on %s, and the newest is found',
    async (type) => {
      const database: DataSourceOptions =
        type === 'postgres'
          ? await postgres.createDatabase('evidence')
          : { type, database: join(newDirectory(), 'evidence.sqlite') };
      const publisher = checkpointDatabase(database, LOG_NAME);
      const other = checkpointDatabase(database, 'another/log');
      expect(await publisher.latest()).toBeUndefined();
      await other.publish({ size: 9, note: 'of another', tiles: NO_TILES });
      await publisher.publish({ size: 2, note: 'two', tiles: NO_TILES });
      await publisher.publish({ size: 1, note: 'one, late', tiles: NO_TILES });
      expect(await publisher.latest()).toBe('two');
      expect(await other.latest()).toBe('of another');
      await publisher.close?.();
      await other.close?.();
    },
  );
});
