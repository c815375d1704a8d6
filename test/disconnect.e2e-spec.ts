import { once } from 'node:events';
import { Injectable } from '@nestjs/common';
import { AuditReader, AuditStore } from '@sallyport/audit';
import { CurrentCall, McpTool, Signal, type RunningCall } from 'sallyport';
import { Deferred, eventually } from './support/eventually.js';
import { TestIssuer } from './support/issuer.js';
import { toolCall, type Era } from './support/messages.js';
import { openSocket, rawMessage } from './support/raw-http.js';
import { newDatabaseFile, TestServer, WAYS } from './support/server.js';

/** Handlers a test can follow and let go. */
@Injectable()
class Tools {
  started = new Deferred();
  aborted = new Deferred();
  release = new Deferred();

  reset(): void {
    this.started = new Deferred();
    this.aborted = new Deferred();
    this.release = new Deferred();
  }

  @McpTool({ name: 'obedient', description: 'Stops when told.', scopes: ['crm:read'], risk: 'read' })
  async obedient(@Signal() signal: AbortSignal) {
    this.started.resolve();
    await once(signal, 'abort');
    this.aborted.resolve();
    throw signal.reason;
  }

  @McpTool({ name: 'stubborn', description: 'Works on.', scopes: ['crm:read'], risk: 'write' })
  async stubborn(@CurrentCall() { signal }: RunningCall) {
    signal.addEventListener('abort', () => this.aborted.resolve());
    this.started.resolve();
    await this.release.promise;
    return 'done';
  }
}

let issuer: TestIssuer;
let token: string;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  token = await issuer.token({ tenant: 'acme', scope: 'crm:read' });
});
afterAll(async () => issuer.stop());

/** Starts a call on a connection of its own, and gives the connection once the handler runs. */
async function callUntilStarted(server: TestServer, era: Era, name: string) {
  const tools = server.app.get(Tools);
  tools.reset();
  const socket = await openSocket(server.port);
  socket.write(rawMessage({ era, token, ...toolCall(name) }));
  await tools.started.promise;
  return { socket, tools };
}

describe.each(WAYS)('When the client hangs up in the middle, on %s in %s', (platform, era) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await TestServer.start({ issuer, platform, providers: [Tools] });
  });
  afterAll(async () => server.close());

  function lastRecord() {
    return eventually(
      async () => (await server.records()).at(-1),
      (record) => record?.outcome !== 'ambiguous',
    );
  }

  it('aborts the signal of the handler, and records the attempt as aborted', async () => {
    const { socket, tools } = await callUntilStarted(server, era, 'obedient');
    socket.destroy();
    await tools.aborted.promise;
    expect(await lastRecord()).toMatchObject({ kind: 'attempt', entry: 'obedient', outcome: 'aborted' });
  });

  it('records the end of a handler that works on', async () => {
    const { socket, tools } = await callUntilStarted(server, era, 'stubborn');
    socket.destroy();
    await tools.aborted.promise;
    expect((await server.records()).at(-1)).toMatchObject({ entry: 'stubborn', outcome: 'ambiguous' });
    tools.release.resolve();
    expect(await lastRecord()).toMatchObject({ kind: 'attempt', entry: 'stubborn', outcome: 'aborted' });
  });

  it('does not abort a call whose client waits', async () => {
    const tools = server.app.get(Tools);
    tools.reset();
    const answer = server.send({ era, token, ...toolCall('stubborn') });
    await tools.started.promise;
    tools.release.resolve();
    expect((await answer).result).toMatchObject({ content: [{ text: 'done' }] });
    expect(await lastRecord()).toMatchObject({ outcome: 'completed' });
  });
});

describe.each(WAYS)('When the server is closed while a call is running, on %s in %s', (platform, era) => {
  async function startOn(database: string) {
    return TestServer.start({
      issuer,
      platform,
      providers: [Tools],
      database: { type: 'better-sqlite3', database },
    });
  }

  /** Reads the file of a server that is no more. */
  async function outcomesIn(database: string) {
    const store = await AuditStore.open(
      { type: 'better-sqlite3', database },
      { migrations: 'check', timeoutMs: 5000 },
    );
    const records = await new AuditReader(store).list({ kind: 'attempt', limit: 10 });
    await store.close();
    return records.map(({ entry, outcome }) => [entry, outcome]);
  }

  it('waits for it, answers it and records its outcome', async () => {
    const database = newDatabaseFile();
    const server = await startOn(database);
    const tools = server.app.get(Tools);
    const answer = server.send({ era, token, ...toolCall('stubborn') });
    await tools.started.promise;
    const closed = server.close();
    tools.release.resolve();
    expect((await answer).result).toMatchObject({ content: [{ text: 'done' }] });
    await closed;
    expect(await outcomesIn(database)).toEqual([['stubborn', 'completed']]);
  });

  it('does not wait for a connection over which nothing comes', async () => {
    const server = await startOn(newDatabaseFile());
    const socket = await openSocket(server.port);
    const ended = new Promise((resolve) => socket.resume().once('close', resolve));
    await server.close();
    await ended;
  });

  it('waits for it even when its client is gone, and so is its connection', async () => {
    const database = newDatabaseFile();
    const server = await startOn(database);
    const { socket, tools } = await callUntilStarted(server, era, 'stubborn');
    socket.destroy();
    await tools.aborted.promise;
    const closed = server.close();
    tools.release.resolve();
    await closed;
    expect(await outcomesIn(database)).toEqual([['stubborn', 'aborted']]);
  });
});
