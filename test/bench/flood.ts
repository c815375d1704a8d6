import { sallyport, type Contender, type Surroundings } from './contenders.js';
import { applyBoth, applyLoad, type Sample } from './load.js';
import type { Plan } from './plan.js';
import { ratioOf, timesOf, type Ratio } from './results.js';
import type { Measured, Runner } from './rounds.js';
import { median } from './statistics.js';

/** One turn: good callers alone, then the same ones while as many connections of the same address send garbage. */
export interface FloodTurn {
  readonly alone: Sample;
  readonly flooded: Sample;
  readonly garbage: Sample;
}

/** Medians over the rounds; times in milliseconds. */
export interface FloodResult {
  readonly id: string;
  readonly label: string;
  readonly alone: FloodFigures;
  readonly flooded: FloodFigures;
  readonly garbage: FloodFigures;
  /** What is left to good callers, of calls per second; and how many times as long the slowest hundredth takes. */
  readonly left: Ratio;
  readonly slower: Ratio;
  readonly failures: number;
  readonly firstFault: string | undefined;
  readonly turns: readonly FloodTurn[];
}

export interface FloodFigures {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

export function floodContender(surroundings: Surroundings): Contender {
  return sallyport('flood', 'good callers in a flood', surroundings, { tools: 20 });
}

export async function playFlood(runner: Runner, plan: Plan, signal: AbortSignal): Promise<FloodTurn> {
  const { port, calls, garbage } = runner;
  const good = { port, calls, concurrency: plan.concurrency, seconds: plan.flood, signal };
  const alone = await applyLoad(good);
  const [flooded, refused] = await applyBoth(good, { ...good, calls: garbage });
  return { alone, flooded, garbage: refused };
}

export function floodResultOf({ contender, turns }: Measured<FloodTurn>): FloodResult {
  const alone = turns.map((turn) => turn.alone);
  const flooded = turns.map((turn) => turn.flooded);
  const garbage = turns.map((turn) => turn.garbage);
  const samples = [...alone, ...flooded, ...garbage];
  return {
    id: contender.id,
    label: contender.label,
    alone: figuresOf(alone),
    flooded: figuresOf(flooded),
    garbage: figuresOf(garbage),
    left: ratioOf(flooded, alone, ({ perSecond }) => perSecond),
    slower: ratioOf(flooded, alone, ({ p99 }) => p99),
    failures: samples.reduce((sum, { failures }) => sum + failures, 0),
    firstFault: samples.find(({ firstFault }) => firstFault !== undefined)?.firstFault,
    turns,
  };
}

function figuresOf(samples: readonly Sample[]): FloodFigures {
  return { perSecond: median(samples.map(({ perSecond }) => perSecond)), ...timesOf(samples) };
}
