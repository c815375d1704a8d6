import 'reflect-metadata';
import { clientV1 } from './client-v1.js';
import { clientV2 } from './client-v2.js';
import { differencesIn, renderJson, renderRun, renderSummary } from './report.js';
import type { Run } from './report.js';
import { tellStory } from './story.js';

/**
 * `npm run demo`: starts the server, walks the story with both versions of the official client, prints what was
 * expected and what came, and ends with 1 on any difference. `--json` prints the same for machines.
 */
async function main(parameters: readonly string[]): Promise<number> {
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => interruption.abort());
  const runs = await tellStories(interruption.signal);
  if (runs === undefined) return 130;
  await print(parameters.includes('--json') ? renderJson(runs) : report(runs));
  return differencesIn(runs) === 0 ? 0 : 1;
}

/** @returns `undefined` when it was interrupted; everything it started has ended then */
async function tellStories(interruption: AbortSignal): Promise<Run[] | undefined> {
  const told: Promise<Run>[] = [];
  try {
    for (const client of [clientV2, clientV1]) {
      told.push((await tellStory(client, progress, interruption, client === clientV2)).run);
    }
    return await Promise.all(told);
  } catch (error) {
    await Promise.allSettled(told);
    if (interruption.aborted) return undefined;
    throw error;
  }
}

function report(runs: readonly Run[]): string {
  return [...runs.map(renderRun), renderSummary(runs)].join('\n');
}

/** Resolves when all of it has left: a pipe takes a long report in parts, and the process ends right after. */
function print(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(`${text}\n`, () => resolve()));
}

/** To standard error, so that standard output is the report alone. */
function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

// Awaited here, so that a promise nobody settles is an exit code of its own (13) and not a success.
process.exit(await main(process.argv.slice(2)));
