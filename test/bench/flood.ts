import { sallyport, type Contender, type Surroundings } from './contenders.js';
import { applyBoth, applyLoad, type Sample } from './load.js';
import type { Plan } from './plan.js';
import { ratioOf, timesOf, type Ratio } from './results.js';
import type { Measured, Runner } from './rounds.js';
import { median } from './statistics.js';

/** One turn: good callers alone, with as many more of them, and while as many others of their address send garbage. */
export interface FloodTurn {
  readonly alone: Sample;
  readonly crowded: Sample;
  readonly more: Sample;
  readonly flooded: Sample;
  readonly garbage: Sample;
}

/** Medians over the rounds; times in milliseconds. */
export interface FloodResult {
  readonly id: string;
  readonly label: string;
  readonly alone: FloodFigures;
  readonly crowded: FloodFigures;
  readonly flooded: FloodFigures;
  readonly garbage: FloodFigures;
  /** What is left to good callers, of calls per second: among more of their kind, and in the flood. */
  readonly leftCrowded: Ratio;
  readonly leftFlooded: Ratio;
  /** How many times as long the slowest hundredth takes. */
  readonly slowerCrowded: Ratio;
  readonly slowerFlooded: Ratio;
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
  const [crowded, more] = await applyBoth(good, good);
  const [flooded, refused] = await applyBoth(good, { ...good, calls: garbage });
  return { alone, crowded, more, flooded, garbage: refused };
}

export function floodResultOf({ contender, turns }: Measured<FloodTurn>): FloodResult {
  const alone = turns.map((turn) => turn.alone);
  const crowded = turns.map((turn) => turn.crowded);
  const flooded = turns.map((turn) => turn.flooded);
  const garbage = turns.map((turn) => turn.garbage);
  const samples = turns.flatMap((turn) => [turn.alone, turn.crowded, turn.more, turn.flooded, turn.garbage]);
  return {
    id: contender.id,
    label: contender.label,
    alone: figuresOf(alone),
    crowded: figuresOf(crowded),
    flooded: figuresOf(flooded),
    garbage: figuresOf(garbage),
    leftCrowded: ratioOf(crowded, alone, perSecond),
    leftFlooded: ratioOf(flooded, alone, perSecond),
    slowerCrowded: ratioOf(crowded, alone, p99),
    slowerFlooded: ratioOf(flooded, alone, p99),
    failures: samples.reduce((sum, { failures }) => sum + failures, 0),
    firstFault: samples.find(({ firstFault }) => firstFault !== undefined)?.firstFault,
    turns,
  };
}

const perSecond = (sample: Sample) => sample.perSecond;
const p99 = (sample: Sample) => sample.p99;

function figuresOf(samples: readonly Sample[]): FloodFigures {
  return { perSecond: median(samples.map(({ perSecond }) => perSecond)), ...timesOf(samples) };
}
