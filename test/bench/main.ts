import { runBench, type BenchReport } from './bench.js';
import { readOptions, USAGE, type BenchOptions } from './options.js';
import { FULL_PLAN, QUICK_PLAN } from './plan.js';
import { tableOf } from './table.js';

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort());

async function main(options: BenchOptions): Promise<void> {
  if (options.help) return void process.stdout.write(USAGE);
  const begun = performance.now();
  const progress = (line: string) => {
    const seconds = ((performance.now() - begun) / 1000).toFixed(0).padStart(3);
    process.stderr.write(`${seconds} s  ${line}\n`);
  };
  const plan = options.quick ? QUICK_PLAN : FULL_PLAN;
  const report = await runBench({
    plan: options.verify === undefined ? plan : { ...plan, verify: options.verify },
    sections: options.sections,
    profiles: options.profiles,
    signal: interrupted.signal,
    progress,
  });
  progress('done\n');
  print(report, options);
}

function print(report: BenchReport, { json }: BenchOptions): void {
  const { results, authentication, audit, floods, lists } = report;
  process.stdout.write(`${json ? JSON.stringify(report, undefined, 2) : tableOf(report)}\n`);
  const answered = [...results, ...authentication, ...audit, ...floods, ...lists.http];
  if (answered.some(({ failures }) => failures > 0)) process.exitCode = 1;
}

function explain(error: unknown): void {
  process.exitCode = interrupted.signal.aborted ? 130 : 1;
  if (interrupted.signal.aborted) process.stderr.write('Interrupted.\n');
  else process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
}

try {
  await main(readOptions(process.argv.slice(2)));
} catch (error) {
  explain(error);
}
