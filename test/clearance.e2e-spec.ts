import { Injectable } from '@nestjs/common';
import {
  CallPipeline,
  Catalog,
  Clearance,
  Gate,
  type Admission,
  type CallArguments,
  type McpCall,
  type Principal,
} from '@sallyport/mcp';
import fc from 'fast-check';
import { Args, McpTool } from 'sallyport';
import { z } from 'zod';
import { TestIssuer } from './support/issuer.js';
import { RESOURCE } from './support/messages.js';
import { Runs, TestServer } from './support/server.js';

@Injectable()
class Tools {
  constructor(private readonly runs: Runs) {}

  @McpTool({
    name: 'open',
    description: 'Opens.',
    scopes: ['crm:read'],
    risk: 'read',
    input: z.object({ id: z.string() }),
  })
  open(@Args('id') id: string) {
    this.runs.note(id);
    return id;
  }
}

const alice: Principal = {
  kind: 'user',
  issuer: 'https://id.acme.example',
  subject: 'alice',
  actors: [],
  tenant: 'acme',
  scopes: ['crm:read'],
  roles: [],
  credential: { kind: 'jwt' },
  claims: {},
};

let issuer: TestIssuer;
let server: TestServer;
let serial = 0;

beforeAll(async () => {
  issuer = await TestIssuer.start();
});
afterAll(async () => issuer.stop());
beforeEach(async () => {
  server = await TestServer.start({ issuer, providers: [Tools] });
});
afterEach(async () => server.close());

function newCall(on: TestServer, args: CallArguments, principal: Principal): McpCall {
  serial += 1;
  return Object.freeze({
    id: `call-${serial}`,
    receivedAt: new Date(),
    server: { name: 'test-server', version: '1.0.0', resource: RESOURCE },
    via: 'http',
    protocol: '2026-07-28',
    principal,
    address: undefined,
    traceparent: undefined,
    method: 'tools/call',
    target: 'open',
    entry: on.app.get(Catalog).find('tools/call', 'open')?.entry,
    arguments: args,
  });
}

/** Asks the gate, as both transports do. */
async function admitted(on: TestServer, id: string, principal = alice): Promise<Admission> {
  const value = Object.freeze({ id });
  const call = newCall(on, value, principal);
  return on.app.get(Gate).admit({ kind: 'call', call, validate: async () => ({ valid: true, value }) });
}

async function cleared(on: TestServer, id: string): Promise<{ call: McpCall; clearance: Clearance }> {
  const admission = await admitted(on, id);
  if (admission.kind !== 'cleared') throw new Error(`It was ${admission.kind}.`);
  return admission;
}

function run(on: TestServer, call: McpCall, clearance: Clearance) {
  const running = { signal: new AbortController().signal, reportProgress: () => Promise.resolve() };
  return on.app.get(CallPipeline).run(call, clearance, running);
}

const NO_RUN = 'No clearance, no run';

it('runs what the gate cleared', async () => {
  const { call, clearance } = await cleared(server, 'r-1');
  expect(await run(server, call, clearance)).toMatchObject({ kind: 'result' });
  expect(server.runs.names).toEqual(['r-1']);
});

it('is not given to a call that is refused', async () => {
  expect(await admitted(server, 'r-1', { ...alice, scopes: [] })).toMatchObject({ kind: 'refused' });
});

it.each<[string, (real: Clearance) => unknown]>([
  ['nothing', () => undefined],
  ['an empty object', () => ({})],
  ['one of its own making', () => new Clearance()],
  ['an object of the same prototype', () => Object.create(Clearance.prototype)],
  ['a copy', (real) => ({ ...real })],
  ['a clone', (real) => structuredClone(real)],
  ['a proxy', (real) => new Proxy(real, {})],
  ['a child', (real) => Object.create(real)],
])('%s in place of a clearance runs nothing', async (_what, forge) => {
  const { call, clearance } = await cleared(server, 'r-1');
  await expect(run(server, call, forge(clearance) as Clearance)).rejects.toThrow(NO_RUN);
  await expect(server.app.get(CallPipeline).discard(call, forge(clearance) as Clearance)).rejects.toThrow(
    NO_RUN,
  );
  expect(server.runs.names).toEqual([]);
});

it('is good for no other call, not even for a copy of its own', async () => {
  const mine = await cleared(server, 'mine');
  const other = await cleared(server, 'other');
  await expect(run(server, other.call, mine.clearance)).rejects.toThrow(NO_RUN);
  await expect(run(server, { ...mine.call }, mine.clearance)).rejects.toThrow(NO_RUN);
  const changed = { ...mine.call, arguments: { id: 'changed' } };
  await expect(run(server, changed, mine.clearance)).rejects.toThrow(NO_RUN);
  expect(server.runs.names).toEqual([]);
});

it('is for a call that nobody can change any more', async () => {
  const { call } = await cleared(server, 'r-1');
  expect(() => Object.assign(call, { principal: undefined })).toThrow(TypeError);
  expect(() => Object.assign(call.arguments ?? {}, { id: 'changed' })).toThrow(TypeError);
});

/** Without the records of starts and stops. */
const attempts = async () => (await server.records()).filter(({ kind }) => kind === 'attempt');

it('is good for one run', async () => {
  const { call, clearance } = await cleared(server, 'once');
  await run(server, call, clearance);
  await expect(run(server, call, clearance)).rejects.toThrow(NO_RUN);
  await expect(server.app.get(CallPipeline).discard(call, clearance)).rejects.toThrow(NO_RUN);
  expect(server.runs.names).toEqual(['once']);
});

it('is good for one run when many ask for it at once', async () => {
  const { call, clearance } = await cleared(server, 'once');
  const runs = await Promise.allSettled(Array.from({ length: 50 }, () => run(server, call, clearance)));
  expect(runs.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(server.runs.names).toEqual(['once']);
  expect(await attempts()).toMatchObject([{ kind: 'attempt', outcome: 'completed' }]);
});

it('is worth nothing once it was discarded, and says that nothing was run', async () => {
  const { call, clearance } = await cleared(server, 'never');
  await server.app.get(CallPipeline).discard(call, clearance);
  await expect(run(server, call, clearance)).rejects.toThrow(NO_RUN);
  expect(server.runs.names).toEqual([]);
  expect(await attempts()).toMatchObject([{ kind: 'attempt', outcome: 'not_run' }]);
});

it('of another server opens nothing here', async () => {
  const other = await TestServer.start({ issuer, providers: [Tools] });
  const { call, clearance } = await cleared(other, 'theirs');
  await expect(run(server, call, clearance)).rejects.toThrow(NO_RUN);
  expect([...server.runs.names, ...other.runs.names]).toEqual([]);
  await other.close();
});

it('gives a handler to an entry once', async () => {
  const entry = server.app.get(Catalog).find('tools/call', 'open')?.entry;
  if (entry === undefined) throw new Error('There is no entry.');
  expect(() => server.app.get(CallPipeline).bind(entry, async () => 'mine')).toThrow('already has a handler');
});

it('runs each call at most once and for nobody else, in whatever order clearances are used', async () => {
  const step = fc.record({ call: fc.nat(5), clearance: fc.nat(5), discard: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const minted = await Promise.all([0, 1, 2, 3, 4, 5].map((index) => cleared(server, `r-${index}`)));
      const spent = new Set<number>();
      const expected: string[] = [];
      const before = server.runs.names.length;
      const outcomes = await Promise.all(
        steps.map(async (one) => {
          const isGood = one.call === one.clearance && !spent.has(one.call);
          if (isGood) spent.add(one.call);
          if (isGood && !one.discard) expected.push(`r-${one.call}`);
          const { call } = minted[one.call] ?? { call: undefined };
          const { clearance } = minted[one.clearance] ?? { clearance: undefined };
          if (call === undefined || clearance === undefined) throw new Error('There are six.');
          const work = one.discard
            ? server.app.get(CallPipeline).discard(call, clearance)
            : run(server, call, clearance);
          return work.then(
            () => isGood,
            () => !isGood,
          );
        }),
      );
      expect(outcomes.every(Boolean)).toBe(true);
      expect(server.runs.names.slice(before).toSorted()).toEqual(expected.toSorted());
    }),
    { numRuns: 30 },
  );
});
