import type { RecordFilter, RecordRange, RecordWalk } from '../reading/record-walk.js';
import { lineOf, type ExportFormat } from './export-format.js';

const BATCH = 500;

export interface ExportOptions {
  readonly range: RecordRange;
  readonly filter: RecordFilter;
  readonly format: ExportFormat;
  /** Told after each batch how many records there were so far. */
  readonly onProgress?: (records: number) => void;
}

/** Lines of the records that match, in order, batch after batch: however many there are, little of them is in memory. */
export async function* exportLines(walk: RecordWalk, options: ExportOptions): AsyncGenerator<string> {
  const { range, filter, format, onProgress = () => undefined } = options;
  let { after } = range;
  let count = 0;
  for (;;) {
    const records = await walk.read({ after, upTo: range.upTo }, BATCH, filter);
    const last = records.at(-1);
    if (last === undefined) return;
    after = last.seq;
    count += records.length;
    yield records.map((record) => `${lineOf(record, format)}\n`).join('');
    onProgress(count);
  }
}
