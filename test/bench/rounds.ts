import { Agent } from 'node:http';
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
export interface Measured {
  readonly contender: Contender;
  readonly turns: readonly Turn[];
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
export async function playRounds(
  runners: readonly Runner[],
  plan: Plan,
  signal: AbortSignal,
  onRound: (round: number) => void,
): Promise<Measured[]> {
  const turns = new Map<Runner, Turn[]>(runners.map((runner) => [runner, []]));
  for (let round = 1; round <= plan.rounds; round++) {
    onRound(round);
    for (const runner of runners) {
      const turn = await playTurn(runner, plan, signal);
      signal.throwIfAborted();
      turns.get(runner)?.push(turn);
    }
  }
  return runners.map((runner) => ({ contender: runner.contender, turns: turns.get(runner) ?? [] }));
}

async function playTurn({ server, port, calls }: Runner, plan: Plan, signal: AbortSignal): Promise<Turn> {
  const { concurrency } = plan;
  const before = await server.cpuMicroseconds();
  const many = await applyLoad({ port, calls, concurrency, seconds: plan.many, signal });
  const cpu = ((await server.cpuMicroseconds()) - before) / many.answers;
  const one = await applyLoad({ port, calls, concurrency: 1, seconds: plan.one, signal });
  return { many: { ...many, cpu }, one };
}
