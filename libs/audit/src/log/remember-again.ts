import { askedMemories } from './asked-memories.js';
import type { LogKeys, OpenedCheckpoint } from './log-keys.js';
import type { LogRows } from './log-rows.js';
import { LogTiles } from './log-tiles.js';
import { AuditLogError } from './log.errors.js';
import type { LogSettings } from './log.options.js';
import { inTime } from './memory.js';
import { newestSigned, openedRow } from './newest-signed.js';
import { stateFile } from './state-file.js';
import type { LogReport } from './verify/verify-log.js';

export interface Remembering {
  readonly rows: LogRows;
  readonly settings: LogSettings;
  /** Of a checkpoint in the database that somebody has found to be right. */
  readonly size: number;
  readonly verify: () => Promise<LogReport>;
  /** Recorded before anything is written: whoever says what the log was decides what it can be compared with. */
  readonly record: (size: number, places: ReadonlySet<string>) => Promise<void>;
}

/**
 * Gives the newest checkpoint of the database to the places that hold none, so that the log is signed on.
 *
 * @returns names of these places
 * @throws AuditLogError when the log is not intact otherwise, somebody cannot be asked, or nothing is missing
 */
export async function rememberAgain({
  rows,
  settings,
  size,
  verify,
  record,
}: Remembering): Promise<string[]> {
  const checkpoint = await requireCheckpoint(rows, settings.keys, size);
  const other = (await verify()).findings.find(({ code }) => code !== 'log_memory');
  if (other !== undefined)
    throw new AuditLogError(
      `The log is not intact, so nothing is remembered of it. ${other.message} Run sallyport audit verify.`,
    );
  const empty = await emptyPlaces(settings);
  await record(checkpoint.size, empty);
  await give(checkpoint, empty, rows, settings);
  return [...empty];
}

async function requireCheckpoint(rows: LogRows, keys: LogKeys, size: number): Promise<OpenedCheckpoint> {
  const { checkpoint } = await newestSigned(rows, keys);
  if (checkpoint === undefined)
    throw new AuditLogError('The database has no checkpoint of this log: there is nothing to remember.');
  const page = await rows.checkpointsAfter(size, -1, ROWS_OF_ONE_SIZE);
  if (page.some((row) => row.size === size && openedRow(row, keys) !== undefined)) return checkpoint;
  throw new AuditLogError(
    `The database has no checkpoint of ${size} records: its newest is of ${checkpoint.size}. Compare that one with what you know, and say --size ${checkpoint.size}.`,
  );
}

/** A size is signed again and again while nothing is recorded. */
const ROWS_OF_ONE_SIZE = 1000;

async function emptyPlaces(settings: LogSettings): Promise<ReadonlySet<string>> {
  const memories = await askedMemories(settings);
  const silent = memories.find(({ failure }) => failure !== undefined);
  if (silent !== undefined)
    throw new AuditLogError(
      `${silent.name} cannot be asked what it remembers: ${silent.failure} Bring it back, or take it out of audit.log.`,
    );
  const empty = memories.filter(({ note }) => note === undefined).map(({ name }) => name);
  if (empty.length === 0) throw new AuditLogError('Nothing is missing: every place remembers a checkpoint.');
  return new Set(empty);
}

async function give(
  { size, note }: OpenedCheckpoint,
  names: ReadonlySet<string>,
  rows: LogRows,
  { stateFile: file, publishers }: LogSettings,
): Promise<void> {
  const state = file === undefined ? undefined : stateFile(file);
  if (state !== undefined && names.has(state.name)) await state.replace(undefined, note);
  const tiles = new LogTiles(rows);
  for (const publisher of publishers.filter(({ name }) => names.has(name)))
    await inTime(publisher.publish({ size, note, tiles }));
}
