import { sallyport, type Contender, type Surroundings } from './contenders.js';
import type { Plan } from './plan.js';
import { ratioOf, timesOf, type Ratio } from './results.js';
import type { Measured, Turn } from './rounds.js';
import { median } from './statistics.js';

/** One turn: as many calls at a time as for the throughput of the first table. */
export type AuthenticationTurn = Turn['many'];

/** One row of what authentication costs. Medians over the rounds; times in milliseconds. */
export interface AuthenticationResult {
  readonly id: string;
  readonly label: string;
  readonly perSecond: number;
  /** Of answers per second, to calls of a public tool without a credential. */
  readonly ratio: Ratio;
  readonly cpu: number;
  readonly p50: number;
  readonly p99: number;
  readonly failures: number;
  readonly firstFault: string | undefined;
  readonly turns: readonly AuthenticationTurn[];
}

const TOOLS = 20;

/** The server of the first table on Fastify; the baseline comes first. Each is a process of its own. */
export function authenticationContenders(surroundings: Surroundings, { explain }: Plan): Contender[] {
  const row = (id: string, label: string, credential: Contender['credential'], changes: Changes = {}) =>
    sallyport(`auth-${id}`, label, surroundings, { tools: TOOLS, ...changes }, credential);
  return [
    row('none', 'public tools, no credential', 'none', { access: 'public' }),
    row('cached', 'JWT, verified before', 'token'),
    row('uncached', 'JWT, verified every time', 'token', { tokenCache: 'off' }),
    row('key', 'API key', 'key', { keys: true }),
    row('garbage', 'garbage, over the limit', 'garbage'),
    ...(explain ? [row('judged', 'garbage, limit lifted', 'garbage', { failureLimit: 'lifted' })] : []),
  ];
}

type Changes = Partial<Parameters<typeof sallyport>[3]>;

export function authenticationResultsOf(
  measured: readonly Measured<AuthenticationTurn>[],
): AuthenticationResult[] {
  const [baseline] = measured;
  if (baseline === undefined) throw new Error('Nothing was measured.');
  return measured.map((one) => resultOf(one, baseline));
}

function resultOf(
  { contender, turns }: Measured<AuthenticationTurn>,
  baseline: Measured<AuthenticationTurn>,
): AuthenticationResult {
  return {
    id: contender.id,
    label: contender.label,
    perSecond: median(turns.map(({ perSecond }) => perSecond)),
    ratio: ratioOf(turns, baseline.turns, ({ perSecond }) => perSecond),
    cpu: median(turns.map(({ cpu }) => cpu)),
    ...timesOf(turns),
    failures: turns.reduce((sum, { failures }) => sum + failures, 0),
    firstFault: turns.find(({ firstFault }) => firstFault !== undefined)?.firstFault,
    turns,
  };
}
