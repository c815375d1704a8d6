import type { CostResult } from './costs.js';
import { costTable, finite, line, rangeOf, rateOf } from './costs.table.js';
import type { FloodFigures, FloodResult } from './flood.js';
import type { Plan } from './plan.js';
import type { Ratio } from './results.js';

/** The part of the report about what authentication costs. */
export function authenticationTableOf(authentication: readonly CostResult[]): string[] {
  return [costTable('what authentication costs', authentication), AUTHENTICATION_LEGEND];
}

/** The part of the report about what a flood of garbage does to good callers. */
export function floodTableOf({ concurrency }: Plan, floods: readonly FloodResult[]): string[] {
  const title = `${concurrency} good, ${concurrency} others`;
  return [[line(title, FLOOD_HEAD), ...floods.flatMap(rowsOf)].join('\n'), FLOOD_LEGEND];
}

const FLOOD_HEAD = ['req/s', 'ratio', '', 'p50', 'p99', 'ratio'];

const AUTHENTICATION_LEGEND = [
  'Sallyport on Fastify, 20 tools; ratios are of req/s, to the first row. Each server is a process of its own.',
  'Garbage: forged ES256 signatures and noise by turns, answered 401 or 429 and nothing else; all of it 401,',
  'judged and recorded by itself, where the limit is lifted.',
].join('\n');

const FLOOD_LEGEND = [
  'One server, one measurement: the same good callers (JWT, verified before) alone, with as many more,',
  'and while as many others send garbage: ratios of req/s and of p99 to the first row.',
  'All share one address, and so one limit.',
].join('\n');

function rowsOf(result: FloodResult): string[] {
  const { alone, crowded, flooded, garbage } = result;
  return [
    line('good callers alone', floodCells(alone, ['1.00', ''], '1.00')),
    line('the same among more of them', ratioCells(crowded, result.leftCrowded, result.slowerCrowded)),
    line('the same in the flood', ratioCells(flooded, result.leftFlooded, result.slowerFlooded)),
    line('the flood, refused', floodCells(garbage, ['', ''], '')),
  ];
}

function ratioCells(figures: FloodFigures, left: Ratio, slower: Ratio): string[] {
  return floodCells(figures, [finite(left.median, 2), rangeOf(left)], finite(slower.median, 2));
}

function floodCells(figures: FloodFigures, ratios: readonly string[], slower: string): string[] {
  const { perSecond, p50, p99 } = figures;
  return [rateOf(perSecond), ...ratios, finite(p50, 1), finite(p99, 1), slower];
}
