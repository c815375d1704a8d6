import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { generateNoteKey } from '@sallyport/tlog';
import { z } from 'zod';
import type { RateResult } from '../records.js';
import { ratioOf } from '../results.js';
import { median } from '../statistics.js';
import { fillAudit } from './fill-audit.js';
import { eventsOfCall, openAudit, type OpenAudit } from './open-audit.js';
import { reportSection, sectionSettings, tellBench } from './report-section.js';
import { database, type Database } from './settings.js';

const plan = z.object({
  rounds: z.int().positive(),
  milliseconds: z.number().positive(),
  concurrency: z.int().positive(),
  waiting: z.int().positive(),
});
const settings = z.object({
  databases: z.array(z.object({ label: z.string(), plain: database, logged: database, waiting: database })),
  plan,
});
type Plan = z.infer<typeof plan>;
type Rate = RateResult['rounds'][number];

const { signerKey } = generateNoteKey('bench.example/records');

interface Audits {
  readonly plain: OpenAudit;
  readonly logged: OpenAudit;
  /** Opened only to be filled, and then to be signed. */
  readonly waiting: Database;
}

interface Rounds {
  readonly plain: Rate[];
  readonly beside: Rate[];
  readonly signed: Rate[];
  readonly alone: Rate[];
}

async function measure(label: string, audits: Audits, plan: Plan): Promise<RateResult[]> {
  const rounds: Rounds = { plain: [], beside: [], signed: [], alone: [] };
  // The round before the first lets V8 see the way, and does not count.
  for (let round = 0; round <= plan.rounds; round += 1) {
    tellBench(`records into ${label}: round ${round} of ${plan.rounds}`);
    const plain = await recordFor(audits.plain, plan);
    const { beside, signed } = await recordIntoLog(audits.logged, plan);
    const alone = await sequenceAlone(audits.waiting, plan);
    if (round === 0) continue;
    const turns = { plain, beside, signed, alone };
    for (const row of ROWS) rounds[row].push(turns[row]);
  }
  return ROWS.map((row) => resultOf(label, row, rounds));
}

const LABELS = {
  plain: 'recorded',
  beside: 'recorded, a log beside it',
  signed: 'recorded, in the log and signed',
  alone: 'only into the log, and signed',
} as const;
const ROWS = ['plain', 'beside', 'signed', 'alone'] as const;

function resultOf(label: string, row: keyof Rounds, rounds: Rounds): RateResult {
  const own = rounds[row];
  return {
    id: `${label.toLowerCase()}-${row}`,
    label: `${label}: ${LABELS[row]}`,
    perSecond: median(own.map(({ perSecond }) => perSecond)),
    ratio: ratioOf(own, rounds.plain, ({ perSecond }) => perSecond),
    cpu: median(own.map(({ cpu }) => cpu)),
    rounds: own.map(({ perSecond, cpu }) => ({ perSecond, cpu })),
  };
}

interface Recorded extends Rate {
  readonly count: number;
}

/** As calls do it: the outcome after the attempt is durable, many calls at a time. */
async function recordFor({ trail }: OpenAudit, plan: Plan): Promise<Recorded> {
  const stop = stopwatch();
  const end = performance.now() + plan.milliseconds;
  let turn = 0;
  const worker = async () => {
    while (performance.now() < end) {
      turn += 1;
      for (const event of eventsOfCall(turn)) await trail.record(event);
    }
  };
  await Promise.all(Array.from({ length: plan.concurrency }, worker));
  return { count: 2 * turn, ...stop(2 * turn) };
}

/** The same, and until a checkpoint covers what was recorded. */
async function recordIntoLog(audit: OpenAudit, plan: Plan) {
  const before = await audit.recordCount();
  const stop = stopwatch();
  const beside = await recordFor(audit, plan);
  await signed(audit, before + beside.count);
  return { beside, signed: stop(beside.count) };
}

/** What was recorded while there was no log, as one finds it. */
async function sequenceAlone(waiting: Database, plan: Plan): Promise<Rate> {
  const unsigned = await openAudit(waiting);
  const before = await unsigned.signedSize();
  await fillAudit(unsigned, plan.waiting);
  const size = await unsigned.recordCount();
  await unsigned.close();
  const audit = await openAudit(waiting, signerKey);
  const stop = stopwatch();
  audit.log.wake();
  await signed(audit, size);
  const rate = stop(size - before);
  await audit.close();
  return rate;
}

async function signed(audit: OpenAudit, size: number): Promise<void> {
  while ((await audit.signedSize()) < size) await sleep(5);
}

function stopwatch(): (count: number) => Rate {
  const begun = performance.now();
  const used = process.cpuUsage();
  return (count) => {
    const { user, system } = process.cpuUsage(used);
    const seconds = (performance.now() - begun) / 1000;
    return { perSecond: count / seconds, cpu: (user + system) / count };
  };
}

// How many records a second are committed, and how many of them come into the log.
await reportSection(async () => {
  const { databases, plan } = settings.parse(sectionSettings());
  const results: RateResult[] = [];
  for (const { label, plain, logged, waiting } of databases) {
    const audits = { plain: await openAudit(plain), logged: await openAudit(logged, signerKey), waiting };
    results.push(...(await measure(label, audits, plan)));
    await audits.plain.close();
    await audits.logged.close();
  }
  return { results };
});
