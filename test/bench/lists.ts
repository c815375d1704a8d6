import { sallyport, type Contender, type Surroundings } from './contenders.js';
import type { CostTurn } from './costs.js';
import type { Plan } from './plan.js';
import { playMany, type Runner } from './rounds.js';

const TOOLS = 200;
/** Each answer is some 50 kB: with more at a time a short turn ends before the first of them. */
const CONCURRENCY = 8;
const BASELINES = new Set(['lists-open', 'lists-open-recorded']);

/** `tools/list` for the bearer of a token: every tool is public, or each is decided on. Both pairs show the same. */
export function listContenders(surroundings: Surroundings, { explain }: Pick<Plan, 'explain'>): Contender[] {
  const row = (id: string, label: string, changes: Changes): Contender => ({
    ...sallyport(id, label, surroundings, { tools: TOOLS, ...changes }),
    asked: 'lists',
  });
  const unrecorded = [
    row('lists-open', 'HTTP: public, nothing recorded', { access: 'public', audit: 'off' }),
    row('lists-decided', 'HTTP: decided, nothing recorded', { audit: 'off' }),
  ];
  return [
    ...(explain ? unrecorded : []),
    row('lists-open-recorded', 'HTTP: public, recorded', { access: 'public' }),
    row('lists-decided-recorded', 'HTTP: decided, recorded', {}),
  ];
}

export function playLists(runner: Runner, plan: Plan, signal: AbortSignal): Promise<CostTurn> {
  return playMany(runner, { ...plan, concurrency: CONCURRENCY }, signal);
}

export function isListBaseline(id: string): boolean {
  return BASELINES.has(id);
}

type Changes = Partial<Parameters<typeof sallyport>[3]>;
