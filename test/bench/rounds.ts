import { Agent } from 'node:http';
import type { BenchRun } from './bench.js';
import type { Call } from './call.js';
import type { Contender } from './contenders.js';
import { applyLoad, attempt, type Sample } from './load.js';
import type { Plan } from './plan.js';
import type { ServerProcess } from './server-process.js';

/** A contender that listens. */
export interface Runner {
  readonly contender: Contender;
  readonly server: Pick<ServerProcess, 'cpuMicroseconds'>;
  readonly port: number;
  readonly calls: readonly Call[];
  /** The same calls with credentials that must be refused. */
  readonly garbage: readonly Call[];
}

export interface CpuUse {
  /** Processor time of the server for one call, in microseconds; all its threads. */
  readonly cpu: number;
}

/** One turn of one contender. */
export interface Turn {
  readonly many: Sample & CpuUse;
  readonly one: Sample;
}

/** All turns of one contender, in the order of the rounds. */
export interface Measured<T = Turn> {
  readonly contender: Contender;
  readonly turns: readonly T[];
}

/** What a contender does when it has its turn. */
export interface Play<T> {
  (runner: Runner, plan: Plan, signal: AbortSignal): Promise<T>;
}

/** Calls every tool once. */
export async function verify({ contender, port, calls }: Runner): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    for (const call of calls) {
      const fault = await attempt(port, call, agent);
      if (fault !== undefined) throw new Error(`${contender.label} does not answer: ${fault}`);
    }
  } finally {
    agent.destroy();
  }
}

/** Lets the compiler of V8 see the way that will be measured. */
export async function warmUp({ port, calls }: Runner, plan: Plan, signal: AbortSignal): Promise<void> {
  const { concurrency } = plan;
  await applyLoad({ port, calls, concurrency, seconds: plan.warmUp, signal });
}

/**
 * A, B, C, A, B, C, …: only one is under load at a time, and when the machine becomes slower, it does for all of them.
 */
export async function playRounds<T>(
  runners: readonly Runner[],
  play: Play<T>,
  { plan, signal, progress }: BenchRun,
): Promise<Measured<T>[]> {
  const turns = new Map<Runner, T[]>(runners.map((runner) => [runner, []]));
  for (let round = 1; round <= plan.rounds; round++) {
    progress(`round ${round} of ${plan.rounds}`);
    for (const runner of runners) {
      const turn = await play(runner, plan, signal);
      signal.throwIfAborted();
      turns.get(runner)?.push(turn);
    }
  }
  return runners.map((runner) => ({ contender: runner.contender, turns: turns.get(runner) ?? [] }));
}

export async function playTurn(runner: Runner, plan: Plan, signal: AbortSignal): Promise<Turn> {
  const { port, calls } = runner;
  const many = await playMany(runner, plan, signal);
  const one = await applyLoad({ port, calls, concurrency: 1, seconds: plan.one, signal });
  return { many, one };
}

export async function playMany(runner: Runner, plan: Plan, signal: AbortSignal): Promise<Turn['many']> {
  const { server, port, calls } = runner;
  const before = await server.cpuMicroseconds();
  const many = await applyLoad({ port, calls, concurrency: plan.concurrency, seconds: plan.many, signal });
  const cpu = ((await server.cpuMicroseconds()) - before) / many.answers;
  return { ...many, cpu };
}
