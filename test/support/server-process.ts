import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.js';

/** The reference server as a process of its own: `node dist/src/main.js` with an empty data directory and database. */
export interface ServerProcess {
  readonly url: string;
  readonly resource: string;
  readonly dataDirectory: string;
  /** All it was given. A second process with the same (stdio, the command line) works on the same database and keys. */
  readonly environment: Readonly<Record<string, string>>;
  /** What it has said to people so far. */
  output(): string;
  /** Ends the process as an operator does, and keeps what it stored. */
  shutDown(): Promise<void>;
  /** Ends the process and deletes what it stored. May be called twice. */
  stop(): Promise<void>;
}

/** How long a server may take to listen. */
const MOST_BOOT_MS = 20_000;
/** How long it may take to end by itself. */
const MOST_SHUTDOWN_MS = 5_000;

/**
 * Starts the built server on a free port and waits until it answers.
 *
 * @throws Error with everything the server said, when it ends or stays silent instead
 */
export async function startServer(extra: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'sallyport-server-'));
  const environment = { ...(await serverEnvironment(dataDirectory)), ...extra };
  const child = spawn(process.execPath, [builtFile('src/main.js')], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = collectOutput(child);
  const url = `http://${environment['HOST']}:${environment['PORT']}`;
  // Should this process end without `stop`, the server does not stay behind.
  const atExit = (): void => {
    child.kill('SIGKILL');
    rmSync(dataDirectory, { recursive: true, force: true, maxRetries: 3 });
  };
  process.once('exit', atExit);
  const stop = async (): Promise<void> => {
    process.off('exit', atExit);
    await endProcess(child);
    await rm(dataDirectory, { recursive: true, force: true });
  };
  try {
    await untilListening(child, url);
  } catch (cause) {
    await stop();
    throw new Error(`The server did not start. It said:\n${said()}`, { cause });
  }
  const shutDown = (): Promise<void> => endProcess(child);
  const data = environment['DATA_DIR'] ?? dataDirectory;
  return { url, resource: `${url}/mcp`, dataDirectory: data, environment, output: said, shutDown, stop };
}

/** Another process on the database and the keys of a server, at a port of its own. */
export async function startBeside(
  { environment }: ServerProcess,
  extra: Readonly<Record<string, string>>,
): Promise<ServerProcess> {
  return startServer({ ...environment, PORT: String(await freePort()), ...extra });
}

/** A file of the build. Build and tests are started at the root of the repository. */
export function builtFile(path: string): string {
  const file = resolve('dist', path);
  if (existsSync(file)) return file;
  throw new Error(`${file} does not exist: run "npx nest build" at the root of the repository first.`);
}

/** Nothing of the surroundings but the search path: a variable of the developer must not change what is shown. */
async function serverEnvironment(dataDirectory: string): Promise<Record<string, string>> {
  const port = await freePort();
  return {
    PATH: process.env['PATH'] ?? '',
    NODE_ENV: 'development',
    HOST: '127.0.0.1',
    PORT: String(port),
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    DATA_DIR: dataDirectory,
    DATABASE_URL: `sqlite:${join(dataDirectory, 'sallyport.sqlite')}`,
  };
}

function collectOutput(child: ChildProcess): () => string {
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  }
  return () => chunks.join('');
}

async function untilListening(child: ChildProcess, url: string): Promise<void> {
  const deadline = Date.now() + MOST_BOOT_MS;
  const metadata = `${url}/.well-known/oauth-protected-resource/mcp`;
  while (Date.now() < deadline) {
    if (hasEnded(child)) throw new Error('It ended.');
    // Nobody listens yet: that is what is waited for.
    const answer = await fetch(metadata).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok === true) return;
    await sleep(50);
  }
  throw new Error(`It did not answer within ${MOST_BOOT_MS} ms.`);
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), MOST_SHUTDOWN_MS);
  await ended;
  clearTimeout(late);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
