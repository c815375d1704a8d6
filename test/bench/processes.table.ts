import type { BenchReport } from './bench.js';
import { costTable } from './costs.table.js';
import { ratesTable, timedTable } from './timing.table.js';
import { verifyTableOf } from './verify-log.js';

/** The parts of the report that were measured within a process. What was not measured is not in it. */
export function processTablesOf({ decisions, lists, records, tenancy, verification }: BenchReport): string[] {
  return [
    ...section(decisions, () => [timedTable('one decision, of a catalog of 200', decisions), DECISIONS]),
    ...section(lists.gate, () => [
      timedTable('a list of 200, through the gate', lists.gate),
      costTable('over HTTP, 8 at a time', lists.http),
      LISTS,
    ]),
    ...section(records, () => [ratesTable('records per second', records), RECORDS]),
    ...section(tenancy, () => [timedTable('one query of a tenant', tenancy), TENANCY]),
    ...(verification === undefined ? [] : [verifyTableOf(verification)]),
  ];
}

function section(results: readonly object[], tables: () => string[]): string[] {
  return results.length === 0 ? [] : tables();
}

const DECISIONS = [
  'In one process, without HTTP: scopes, role and tenant, by way of hierarchies; nothing recorded. µs for one, timed a',
  'hundred at a time. Ratios are of the median, to the first row.',
].join('\n');

const LISTS = [
  'Ratios are to the same list of the same catalog without a policy: every entry shown, or public. Recorded: each list',
  'is a record in SQLite, of which those that come at the same time share a commit.',
].join('\n');

const RECORDS = [
  'Attempts and outcomes of 64 calls at a time, each durable before the next step; ratios are of records per second, to the',
  'first row of the database. Signed: until a checkpoint covers the last of them, in the same process. Only into the',
  'log: records that had been waiting for it. cpu is that of the process, all threads, in µs for one record.',
].join('\n');

const TENANCY = [
  'µs for one query of a repository, one after the other, of 1,000 rows of the tenant among 2,000. Ratios are to the row',
  'before: the same on a DataSource without the layer, with the tenant in the query. On PostgreSQL that one is a superuser',
  'whom no policy binds, and the layer says the tenant in a transaction around each query that is in none.',
].join('\n');
