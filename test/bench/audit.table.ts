import type { CostResult } from './costs.js';
import { costTable } from './costs.table.js';

/** The part of the report about the audit. */
export function auditTableOf(audit: readonly CostResult[]): string[] {
  return [costTable('what the audit costs', audit), LEGEND];
}

const LEGEND = [
  'Sallyport on Fastify, 20 tools, JWT verified before. Ratios of req/s are to the same server with',
  'dangerouslyRecordNothing on the same database. Strict: attempt and outcome are committed, each before the next step;',
  'signed: a sequencer also puts every record into the tree and signs checkpoints, in the same process.',
].join('\n');
