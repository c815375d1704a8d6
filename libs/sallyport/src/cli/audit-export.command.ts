import { existsSync } from 'node:fs';
import type { INestApplicationContext } from '@nestjs/common';
import {
  AuditDisclosure,
  exportToFile,
  RecordWalk,
  type ExportFormat,
  type RecordFilter,
} from '@sallyport/audit';
import { errorCodeOf } from '@sallyport/store';
import { filterOf, operator, type AuditFilterOptions } from './audit-filter.js';
import { CliError } from './cli-error.js';
import { settledRecords } from './settled-records.js';

/** Options of `audit export`, as commander hands them over. */
export interface AuditExportOptions extends AuditFilterOptions {
  readonly format: ExportFormat;
  readonly out: string;
  readonly force?: boolean;
  readonly kind?: NonNullable<RecordFilter['kind']>;
  readonly json?: boolean;
}

/**
 * Writes what was committed when it begins, one record in each line, into a file that appears when it is whole. That the
 * records leave is recorded before they do.
 */
export async function auditExport(
  context: INestApplicationContext,
  options: AuditExportOptions,
  progress: (done: number, total: number) => void,
): Promise<string> {
  const { format, out, force, kind, json } = options;
  if (existsSync(out) && force !== true)
    throw new CliError(`There is a file ${out} already: write --force to replace it, or another --out.`);
  const walk = context.get(RecordWalk, { strict: false });
  const disclosure = context.get(AuditDisclosure, { strict: false });
  const filter = { ...filterOf(options), ...(kind !== undefined && { kind }) };
  const range = { after: 0, upTo: await settledRecords(context).top() };
  const total = await walk.count(range, filter);
  await disclosure.export(operator(), filter, { records: total, upTo: range.upTo, format });
  try {
    const onProgress = (done: number) => progress(done, total);
    const records = await exportToFile(walk, out, { range, filter, format, onProgress });
    if (json === true) return JSON.stringify({ records, upTo: range.upTo, format, out });
    return `${records} records, up to number ${range.upTo}, are in ${out}.`;
  } catch (error) {
    await disclosure.refuse(operator(), 'write_failed', 'audit.exported');
    throw new CliError(
      `The records could not be written to ${out} (${errorCodeOf(error) ?? 'no code'}): nothing is there.`,
    );
  }
}
