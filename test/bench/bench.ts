import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callsOf } from './call.js';
import { contenders } from './contenders.js';
import { startIssuer } from './issuer.js';
import { machineFacts, type Machine } from './machine.js';
import type { Plan } from './plan.js';
import { resultsOf, type Result } from './results.js';
import { playRounds, verify, warmUp, type Runner } from './rounds.js';
import { ServerProcess } from './server-process.js';

export interface BenchReport {
  readonly machine: Machine;
  readonly plan: Plan;
  readonly results: readonly Result[];
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
  const processes: ServerProcess[] = [];
  const issuer = await startIssuer();
  try {
    const machine = machineFacts(directory);
    const all = contenders({ issuer: issuer.url, resource: RESOURCE, directory }, run.plan);
    const tokens = await Promise.all(Array.from({ length: TOKENS }, () => issuer.token(RESOURCE)));
    run.progress(`starting ${all.length} servers`);
    for (const contender of all) processes.push(ServerProcess.start(contender, run.profiles));
    const runners = await Promise.all(processes.map((server) => runnerOf(server, tokens)));
    return { machine, plan: run.plan, results: await measure(runners, run) };
  } finally {
    await Promise.all(processes.map((server) => server.stop()));
    issuer.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function runnerOf(server: ServerProcess, tokens: readonly string[]): Promise<Runner> {
  const { contender } = server;
  const calls = callsOf(contender.tools, contender.credential ? tokens : []);
  return { contender, server, port: await server.port(), calls };
}

async function measure(runners: readonly Runner[], run: BenchRun): Promise<Result[]> {
  const { plan, signal, progress } = run;
  for (const runner of runners) {
    const { label, tools } = runner.contender;
    progress(`checking and warming up: ${label}, ${tools} tools`);
    await verify(runner);
    await warmUp(runner, plan, signal);
    signal.throwIfAborted();
  }
  const onRound = (round: number) => progress(`round ${round} of ${plan.rounds}`);
  return resultsOf(await playRounds(runners, plan, signal, onRound));
}
