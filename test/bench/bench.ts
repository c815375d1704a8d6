import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../support/postgres.js';
import { auditContenders, isAuditBaseline, POSTGRES_ROWS } from './audit.js';
import { authenticationContenders } from './authentication.js';
import { contenders, type Contender, type Surroundings } from './contenders.js';
import { costResultsOf, type CostResult } from './costs.js';
import { callsFor, garbageFor } from './credentials.js';
import { floodContender, floodResultOf, playFlood, type FloodResult } from './flood.js';
import { startIssuer } from './issuer.js';
import { machineFacts, type Machine } from './machine.js';
import type { Plan } from './plan.js';
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
import { ServerProcess } from './server-process.js';

export interface BenchReport {
  readonly machine: Machine;
  readonly plan: Plan;
  readonly results: readonly Result[];
  readonly authentication: readonly CostResult[];
  readonly audit: readonly CostResult[];
  readonly floods: readonly FloodResult[];
}

export interface BenchRun {
  readonly plan: Plan;
  readonly profiles: string | undefined;
  readonly signal: AbortSignal;
  /** Told what happens now, in a few words. */
  readonly progress: (line: string) => void;
}

/** The port plays no part in an audience, so one resource stands for all servers, and a token is good for each. */
const RESOURCE = 'http://127.0.0.1/mcp';
const TOKENS = 16;

/** Runs the whole bench and leaves nothing behind, however it ends. */
export async function runBench(run: BenchRun): Promise<BenchReport> {
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-bench-'));
  const issuer = await startIssuer();
  try {
    const machine = machineFacts(directory);
    const tokens = await Promise.all(Array.from({ length: TOKENS }, () => issuer.token(RESOURCE)));
    const sections = await playSections({ issuer: issuer.url, resource: RESOURCE, directory }, tokens, run);
    return { machine, plan: run.plan, ...sections };
  } finally {
    issuer.close();
    await rm(directory, { recursive: true, force: true });
  }
}

/** One after the other: the servers of one have ended when those of the next start. */
async function playSections(
  surroundings: Surroundings,
  tokens: readonly string[],
  run: BenchRun,
): Promise<Omit<BenchReport, 'machine' | 'plan'>> {
  const play = <T>(all: readonly Contender[], turn: Play<T>) => playSection(all, turn, tokens, run);
  const governed = await play(contenders(surroundings, run.plan), playTurn);
  const authentication = await play(authenticationContenders(surroundings, run.plan), playMany);
  const audit = await playAudit(surroundings, play);
  const floods = await play([floodContender(surroundings)], playFlood);
  return {
    results: resultsOf(governed),
    authentication: costResultsOf(authentication),
    audit,
    floods: floods.map(floodResultOf),
  };
}

type PlaySection = <T>(all: readonly Contender[], turn: Play<T>) => Promise<Measured<T>[]>;

/** The audit of calls on both databases; PostgreSQL is a process beside the servers, on the same machine. */
async function playAudit(surroundings: Surroundings, play: PlaySection): Promise<CostResult[]> {
  const postgres = await startPostgres();
  try {
    const urls = new Map<string, string>();
    for (const id of POSTGRES_ROWS) {
      const { database } = await postgres.createDatabase(id.replaceAll('-', '_'));
      urls.set(id, postgres.url.replace(/[^/]*$/, database));
    }
    const databaseOf = (id: string) => urls.get(id) ?? postgres.url;
    const measured = await play(auditContenders(surroundings, databaseOf), playMany);
    return costResultsOf(measured, isAuditBaseline);
  } finally {
    await postgres.stop();
  }
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
