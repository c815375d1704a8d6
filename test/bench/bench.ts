import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { auditContenders, isAuditBaseline } from './audit.js';
import { authenticationContenders } from './authentication.js';
import { contenders, type Contender, type Surroundings } from './contenders.js';
import { costResultsOf, type CostResult } from './costs.js';
import { callsFor, garbageFor } from './credentials.js';
import { Databases } from './databases.js';
import { floodContender, floodResultOf, playFlood, type FloodResult } from './flood.js';
import { startIssuer } from './issuer.js';
import { isListBaseline, listContenders, playLists } from './lists.js';
import { machineFacts, type Machine } from './machine.js';
import type { Plan } from './plan.js';
import {
  playDecisions,
  playListsInProcess,
  playRecords,
  playTenancy,
  playVerification,
} from './processes.js';
import type { RateResult } from './records.js';
import { resultsOf, type Result } from './results.js';
import {
  playMany,
  playRounds,
  playTurn,
  verify,
  warmUp,
  type Measured,
  type Play,
  type Runner,
} from './rounds.js';
import type { SectionName } from './section-names.js';
import { ServerProcess } from './server-process.js';
import type { TimedResult } from './timing.js';
import type { VerifyResult } from './verify-log.js';

export interface BenchReport {
  readonly machine: Machine;
  readonly plan: Plan;
  /** Empty where it was not asked for, as everything below. */
  readonly results: readonly Result[];
  readonly authentication: readonly CostResult[];
  readonly audit: readonly CostResult[];
  readonly floods: readonly FloodResult[];
  readonly decisions: readonly TimedResult[];
  /** The gate by itself, and over HTTP. */
  readonly lists: { readonly gate: readonly TimedResult[]; readonly http: readonly CostResult[] };
  readonly records: readonly RateResult[];
  readonly tenancy: readonly TimedResult[];
  readonly verification: VerifyResult | undefined;
}

export interface BenchRun {
  readonly plan: Plan;
  readonly sections: readonly SectionName[];
  readonly profiles: string | undefined;
  readonly signal: AbortSignal;
  /** Told what happens now, in a few words. */
  readonly progress: (line: string) => void;
}

/** The port plays no part in an audience, so one resource stands for all servers, and a token is good for each. */
const RESOURCE = 'http://127.0.0.1/mcp';
const TOKENS = 16;

/** Runs what is asked for and leaves nothing behind, however it ends. */
export async function runBench(run: BenchRun): Promise<BenchReport> {
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-bench-'));
  const issuer = await startIssuer();
  const databases = new Databases(directory);
  try {
    const machine = machineFacts(directory);
    const tokens = await Promise.all(Array.from({ length: TOKENS }, () => issuer.token(RESOURCE)));
    const surroundings = { issuer: issuer.url, resource: RESOURCE, directory };
    const { listed, ...servers } = await playServers({ surroundings, databases, tokens, run });
    const { gate, ...processes } = await playProcesses({ surroundings, databases, run });
    return { machine, plan: run.plan, ...servers, ...processes, lists: { gate, http: listed } };
  } finally {
    issuer.close();
    await databases.close();
    await rm(directory, { recursive: true, force: true });
  }
}

interface Stage {
  readonly surroundings: Surroundings;
  readonly databases: Databases;
  readonly run: BenchRun;
}

interface ServerStage extends Stage {
  readonly tokens: readonly string[];
}

/** One after the other: the servers of one section have ended when those of the next start. */
async function playServers({ surroundings, databases, tokens, run }: ServerStage) {
  const { plan } = run;
  const play = async <T>(
    name: SectionName,
    contendersOf: () => readonly Contender[] | Promise<readonly Contender[]>,
    turn: Play<T>,
  ) => (run.sections.includes(name) ? playSection(await contendersOf(), turn, tokens, run) : []);
  const governed = await play('calls', () => contenders(surroundings, plan), playTurn);
  const authentication = await play(
    'authentication',
    () => authenticationContenders(surroundings, plan),
    playMany,
  );
  const audit = await play('audit', () => auditContenders(surroundings, databases), playMany);
  const floods = await play('flood', () => [floodContender(surroundings)], playFlood);
  const listed = await play('lists', () => listContenders(surroundings, plan), playLists);
  return {
    results: resultsOf(governed),
    authentication: costResultsOf(authentication),
    audit: costResultsOf(audit, isAuditBaseline),
    floods: floods.map(floodResultOf),
    listed: costResultsOf(listed, isListBaseline),
  };
}

/** What is measured within a process, each in one of its own. */
async function playProcesses({ surroundings, databases, run }: Stage) {
  const when = <T>(name: SectionName, play: () => Promise<T>) => {
    if (!run.sections.includes(name)) return undefined;
    run.progress(`measuring: ${name}`);
    return play();
  };
  return {
    decisions: (await when('decisions', () => playDecisions(surroundings, run))) ?? [],
    gate: (await when('lists', () => playListsInProcess(surroundings, run))) ?? [],
    records: (await when('records', () => playRecords(databases, run))) ?? [],
    tenancy: (await when('tenancy', () => playTenancy(databases, run))) ?? [],
    verification: await when('verify', () => playVerification(databases, run)),
  };
}

async function playSection<T>(
  all: readonly Contender[],
  turn: Play<T>,
  tokens: readonly string[],
  run: BenchRun,
): Promise<Measured<T>[]> {
  const processes: ServerProcess[] = [];
  try {
    run.progress(`starting servers: ${all.length}`);
    for (const contender of all) processes.push(ServerProcess.start(contender, run.profiles));
    const runners = await Promise.all(processes.map((server) => runnerOf(server, tokens)));
    for (const runner of runners) await prepare(runner, run);
    return await playRounds(runners, turn, run);
  } finally {
    await Promise.all(processes.map((server) => server.stop()));
  }
}

async function runnerOf(server: ServerProcess, tokens: readonly string[]): Promise<Runner> {
  const { contender } = server;
  const { port, key } = await server.listening();
  const credentials = { tokens, key };
  const calls = callsFor(contender, credentials);
  return { contender, server, port, calls, garbage: garbageFor(contender, credentials) };
}

async function prepare(runner: Runner, { plan, signal, progress }: BenchRun): Promise<void> {
  const { label, tools } = runner.contender;
  progress(`checking and warming up: ${label}, ${tools} tools`);
  await verify(runner);
  await warmUp(runner, plan, signal);
  signal.throwIfAborted();
}
