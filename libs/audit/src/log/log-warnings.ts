import { askedMemories } from './asked-memories.js';
import type { LogRows } from './log-rows.js';
import { RefusedSigning } from './log.errors.js';
import type { LogSettings } from './log.options.js';
import { newestSigned } from './newest-signed.js';
import { foreignLeaf, strayTiles } from './put-in.js';
import { LogSigner } from './signer.js';
import { treeSize } from './tree-size.js';

/** What an operator should know about a log that is signed, in sentences. Signs nothing. */
export async function logWarnings(rows: LogRows, settings: LogSettings): Promise<string[]> {
  const memories = await askedMemories(settings);
  return [
    ...(memories.length === 0 ? [FORGETFUL] : []),
    ...memories.flatMap(({ name, failure }) =>
      failure === undefined ? [] : [`What was signed cannot be compared with ${name}: ${failure}`],
    ),
    ...(await signingObstacles(rows, settings)),
    ...(await putIn(rows, settings)),
  ];
}

/** Why the log is not signed. */
async function signingObstacles(rows: LogRows, settings: LogSettings): Promise<string[]> {
  const { signer, keys } = settings;
  const onKeyRotation = () => Promise.resolve();
  const probe = new LogSigner({ signer, keys, state: undefined, onKeyRotation, now: Date.now });
  try {
    await probe.examine(rows, () => askedMemories(settings));
    return [];
  } catch (error) {
    if (error instanceof RefusedSigning) return [`The log is not signed. ${error.message}`];
    throw error;
  }
}

/** So many leaves that are not signed yet are compared with their records: a server signs within a second. */
const MOST_UNSIGNED = 10_000;

/** Why the log cannot be continued, now or once it has grown so far. */
async function putIn(rows: LogRows, { keys }: LogSettings): Promise<string[]> {
  const { size: signed = 0 } = (await newestSigned(rows, keys)).checkpoint ?? {};
  const { size, stray } = await treeSize(rows, signed);
  const foreign = await foreignLeaf(rows, signed, Math.min(size, signed + MOST_UNSIGNED));
  const tiles = await strayTiles(rows);
  return [
    ...(foreign === undefined
      ? []
      : [
          `The log cannot be continued: the leaf at index ${foreign} is not the one of its record. ${remove('leaf')}`,
        ]),
    ...(stray === undefined
      ? []
      : [
          `The log cannot be continued beyond index ${stray}: the leaf there, with none before it, is none of ours, and the record whose number it took is not in the log. ${remove('leaf')}`,
        ]),
    ...tiles.map(
      ({ level, index }) =>
        `The log cannot be continued beyond tile ${index} of level ${level}, whose leaves are not there: it is none of ours. ${remove('tile')}`,
    ),
  ];
}

function remove(table: 'leaf' | 'tile'): string {
  return `It was put in by somebody who may add rows: as the owner of the tables remove it from sallyport_log_${table}, as the README of @sallyport/audit says.`;
}

const FORGETFUL =
  "Nothing outside of the database remembers what was signed (audit.log.dangerouslyForgetful), so a restored older database goes unnoticed: write audit: { log: { state: { file: '…' } } }.";
