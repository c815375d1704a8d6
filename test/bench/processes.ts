import { generateNoteKey } from '@sallyport/tlog';
import type { BenchRun } from './bench.js';
import { sallyport, type Surroundings } from './contenders.js';
import type { Databases } from './databases.js';
import { recordsReport, type RateResult } from './records.js';
import { runSection } from './section-process.js';
import { timedReport } from './sections/settings.js';
import type { TimedResult } from './timing.js';
import { filledReport, verifyReport, type VerifyResult } from './verify-log.js';

/** Entries of the catalog on which is decided. */
const TOOLS = 200;

export async function playDecisions(surroundings: Surroundings, run: BenchRun): Promise<TimedResult[]> {
  const { settings: application } = sallyport('decisions', '', surroundings, {
    tools: TOOLS,
    access: 'bound',
    audit: 'off',
  });
  const settings = { application, timing: run.plan.decisions };
  return (await runSection({ name: 'decisions', settings, result: timedReport }, run)).results;
}

export async function playListsInProcess(surroundings: Surroundings, run: BenchRun): Promise<TimedResult[]> {
  const { settings: application } = sallyport('lists', '', surroundings, { tools: TOOLS });
  const settings = { application, timing: run.plan.lists };
  return (await runSection({ name: 'lists', settings, result: timedReport }, run)).results;
}

export async function playTenancy(databases: Databases, run: BenchRun): Promise<TimedResult[]> {
  const settings = {
    timing: run.plan.queries,
    databases: [
      { label: 'SQLite', database: databases.sqlite('tenancy') },
      { label: 'PostgreSQL', database: await databases.postgres('tenancy') },
    ],
  };
  return (await runSection({ name: 'tenancy', settings, result: timedReport }, run)).results;
}

export async function playRecords(databases: Databases, run: BenchRun): Promise<RateResult[]> {
  const settings = {
    plan: run.plan.records,
    databases: [
      {
        label: 'SQLite',
        plain: databases.sqlite('records-plain'),
        logged: databases.sqlite('records-logged'),
        waiting: databases.sqlite('records-waiting'),
      },
      {
        label: 'PostgreSQL',
        plain: await databases.postgres('records-plain'),
        logged: await databases.postgres('records-logged'),
        waiting: await databases.postgres('records-waiting'),
      },
    ],
  };
  return (await runSection({ name: 'records', settings, result: recordsReport }, run)).results;
}

/** Each in a process of its own, so that the memory of one is not taken for that of the other. */
export async function playVerification(databases: Databases, run: BenchRun): Promise<VerifyResult> {
  const database = databases.sqlite('verify');
  const { signerKey: key } = generateNoteKey('bench.example/verify');
  const settings = { database, key };
  const filled = await runSection(
    { name: 'fill-log', settings: { ...settings, records: run.plan.verify }, result: filledReport },
    run,
  );
  return { filled, verified: await runSection({ name: 'verify-log', settings, result: verifyReport }, run) };
}
