import { writeFileAtomically } from '../log/write-file-atomically.js';
import type { RecordWalk } from '../reading/record-walk.js';
import { exportLines, type ExportOptions } from './export-records.js';

/**
 * Writes the records that match into a file, which is there when it is whole and not before.
 *
 * @returns how many records it holds
 */
export async function exportToFile(walk: RecordWalk, path: string, options: ExportOptions): Promise<number> {
  let count = 0;
  const onProgress = (records: number) => {
    count = records;
    options.onProgress?.(records);
  };
  await writeFileAtomically(path, exportLines(walk, { ...options, onProgress }));
  return count;
}
