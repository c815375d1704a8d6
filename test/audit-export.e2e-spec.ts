import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { eventually } from './support/eventually.js';
import { TestIssuer } from './support/issuer.js';
import { send, toolCall } from './support/messages.js';
import { startPostgres, type RunningPostgres } from './support/postgres.js';
import { runCommand, SourceProcess } from './support/processes.js';

/** Takes batches over HTTP, in whatever mood it is. */
class Receiver {
  readonly ids: string[] = [];
  readonly tokens = new Set<string | undefined>();
  mood: 'well' | 'down' | 'answers get lost' = 'well';
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        this.tokens.add(request.headers.authorization);
        if (this.mood === 'down') return void response.writeHead(503).end();
        for (const line of body.split('\n').slice(0, -1)) this.ids.push(String(JSON.parse(line).id));
        if (this.mood === 'answers get lost') return void request.socket.destroy();
        return void response.writeHead(204).end();
      });
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('The receiver does not listen.');
    return `http://127.0.0.1:${address.port}/ingest`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

let postgres: RunningPostgres;
let issuer: TestIssuer;
let directory: string;

beforeAll(async () => {
  [postgres, issuer] = [await startPostgres(), await TestIssuer.start()];
  directory = await mkdtemp(join(tmpdir(), 'sallyport-export-'));
});
afterAll(async () => {
  await issuer.stop();
  await postgres.stop();
  await rm(directory, { recursive: true, force: true });
});

describe.each(['better-sqlite3', 'postgres'] as const)('A server that ships its records, on %s', (type) => {
  let database: DataSourceOptions;
  let receiver: Receiver;
  let environment: Record<string, string>;
  let file: string;
  let server: (SourceProcess & { url: string }) | undefined;

  beforeAll(async () => {
    const name = `export_${type === 'postgres' ? 'pg' : 'sqlite'}`;
    database =
      type === 'postgres'
        ? await postgres.createDatabase(name)
        : { type, database: join(directory, `${name}.sqlite`) };
    receiver = new Receiver();
    file = join(directory, `${name}.ocsf`);
    environment = {
      DATABASE: JSON.stringify(database),
      ISSUER: issuer.url,
      SINK_URL: await receiver.start(),
      SINK_FILE: file,
    };
  });
  afterAll(async () => {
    server?.kill('SIGTERM');
    await server?.ended();
    receiver.stop();
  });

  async function call(url: string, count: number): Promise<number[]> {
    const token = await issuer.token({ sub: 'priya', tenant: 'acme', scope: 'crm:read' });
    const answers = Array.from({ length: count }, () =>
      send(url, { era: '2026-07-28', token, ...toolCall('quick') }).then(
        ({ status }) => status,
        // The server was killed in the middle of it.
        () => 0,
      ),
    );
    return Promise.all(answers);
  }

  async function query<Row>(statement: string): Promise<Row[]> {
    const connection = await new DataSource({ ...database }).initialize();
    try {
      return await connection.query<Row[]>(statement);
    } finally {
      await connection.destroy();
    }
  }

  const recorded = async () =>
    (await query<{ id: string }>('SELECT id FROM sallyport_audit ORDER BY seq')).map(({ id }) => id);

  const inFile = async () => {
    const text = await readFile(file, 'utf8').catch(() => '');
    return text.split('\n').slice(0, -1);
  };
  const idsInFile = async () => (await inFile()).map((line): string => JSON.parse(line).metadata.uid);

  it('loses nothing while it is killed again and again, and its receiver fails in every way', async () => {
    for (const mood of ['down', 'answers get lost', 'well'] as const) {
      receiver.mood = mood;
      server = await SourceProcess.server(environment);
      // A call does not feel how the receiver is.
      expect(await call(server.url, 20)).toEqual(Array.from({ length: 20 }, () => 200));
      const lost = call(server.url, 20);
      await sleep(Math.random() * 300);
      server.kill('SIGKILL');
      await server.ended();
      await lost;
      // Otherwise the next process waits until the lease of the killed one is over.
      await query('UPDATE sallyport_audit_follower SET lease_until = 0');
    }
    server = await SourceProcess.server(environment);
    const ids = await recorded();
    expect(ids.length).toBeGreaterThan(120);
    await eventually(
      () => Promise.resolve(receiver.ids),
      (received) => ids.every((id) => received.includes(id)),
    );
    await eventually(idsInFile, (received) => ids.every((id) => received.includes(id)));
    expect([...receiver.tokens]).toEqual(['Bearer sink-token']);
    // Delivered more than once, where the answer was lost.
    expect(receiver.ids.length).toBeGreaterThan(new Set(receiver.ids).size);
  }, 180_000);

  it('has whole lines alone in the file it appends to, in the order of the records', async () => {
    const events = (await inFile()).map((line): { metadata: { uid: string } } => JSON.parse(line));
    const order = [...new Set(events.map(({ metadata }) => metadata.uid))];
    const ids = await recorded();
    expect(order.slice(0, ids.length)).toEqual(ids.slice(0, order.length));
  });

  it('ends when it is told to, and says where it stopped', async () => {
    server?.kill('SIGTERM');
    await server?.ended();
    const rows = await query<{ name: string; owner: string | null; position: string | number }>(
      'SELECT name, owner, position FROM sallyport_audit_follower ORDER BY name',
    );
    expect(rows.map(({ name, owner }) => [name, owner])).toEqual([
      ['file', null],
      ['http', null],
    ]);
    expect(rows.every(({ position }) => Number(position) > 0)).toBe(true);
  });

  it('ships nothing while somebody only looks', async () => {
    const before = receiver.ids.length;
    const { code } = await runCommand(['audit', 'list', '--limit', '1'], environment);
    expect(code).toBe(0);
    expect(receiver.ids).toHaveLength(before);
  });

  it('exports what was committed, once each and in order, while others write', async () => {
    server = await SourceProcess.server(environment);
    const writing = call(server.url, 50);
    const out = join(directory, `${randomUUID()}.jsonl`);
    const { code } = await runCommand(['audit', 'export', '--out', out], environment);
    await writing;
    expect(code).toBe(0);
    const seqs = (await readFile(out, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line): number => JSON.parse(line).seq);
    expect(seqs).toEqual([...new Set(seqs)].toSorted((a, b) => a - b));
    expect(seqs.length).toBeGreaterThan(120);
  });
});
