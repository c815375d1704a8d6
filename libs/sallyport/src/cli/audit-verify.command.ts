import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { INestApplicationContext } from '@nestjs/common';
import { AuditLog, LogKeys, safeText, type LogReport, type VerifyProgress } from '@sallyport/audit';
import { CliError } from './cli-error.js';
import { safeJson } from './safe-json.js';
import { renderTable } from './table.js';

/** Options of `audit verify`, as commander hands them over. */
export interface AuditVerifyOptions {
  readonly json?: boolean;
  /** File with a checkpoint that was kept elsewhere. */
  readonly checkpoint?: string;
  /** Verifier keys to trust instead of those of the application. */
  readonly key?: readonly string[];
  /** Files with sealed records, and directories of such. */
  readonly sealed?: readonly string[];
}

/** What `audit verify` found, and whether that is nothing. */
export interface AuditVerification {
  readonly text: string;
  readonly ok: boolean;
}

/** Compares the whole log with itself, and with what was kept outside of the database. */
export async function auditVerify(
  context: INestApplicationContext,
  { json, checkpoint, key, sealed }: AuditVerifyOptions,
  progress: VerifyProgress,
): Promise<AuditVerification> {
  const startedAt = performance.now();
  const report = await context.get(AuditLog, { strict: false }).verify({
    ...(key === undefined ? {} : { keys: keysOf(key) }),
    ...(checkpoint === undefined ? {} : { witnesses: [await checkpointIn(checkpoint)] }),
    ...(sealed === undefined ? {} : { sealedFiles: await filesIn(sealed) }),
    onProgress: progress,
  });
  const seconds = (performance.now() - startedAt) / 1000;
  return {
    ok: report.ok,
    text: json === true ? safeJson(report) : reportText(report, seconds),
  };
}

function keysOf(keys: readonly string[]): LogKeys {
  const [name = ''] = (keys[0] ?? '').split('+');
  try {
    return new LogKeys(name, keys);
  } catch {
    throw new CliError('--key takes a verifier key: name+hash+key, as sallyport audit new-key prints it.');
  }
}

async function checkpointIn(file: string) {
  try {
    return { from: `the checkpoint in ${file}`, note: await readFile(file, 'utf8') };
  } catch {
    throw new CliError(`The file ${file} cannot be read: write --checkpoint with the path of a checkpoint.`);
  }
}

/** Of a directory the files that end in `.jsonl`. */
async function filesIn(paths: readonly string[]): Promise<string[]> {
  const files = await Promise.all(
    paths.map(async (path) => {
      const found = await stat(path).catch(() => {
        throw new CliError(`There is no file or directory ${path}: correct --sealed.`);
      });
      if (!found.isDirectory()) return [path];
      const names = await readdir(path);
      return names.filter((name) => name.endsWith('.jsonl')).map((name) => join(path, name));
    }),
  );
  return files.flat();
}

function sealedText({ sealed, sealedFiles, sealedFilesCompared: compared }: LogReport): string {
  const gone = `${sealed} records were sealed and have left the database`;
  if (compared === 0)
    return `${gone}; they were not looked at, nor whether those that stay are there: say --sealed with their files.`;
  const rest = sealedFiles - compared;
  return `${gone}; ${compared} files with such were compared${rest === 0 ? '' : `, ${rest} not looked at`}.`;
}

function outsideText({ comparedWith, notCompared }: LogReport): string[] {
  const compared =
    comparedWith.length === 0
      ? 'Compared with nothing outside of the database: an older copy of it would look the same.'
      : `Compared with ${comparedWith.map(safeText).join(', ')}.`;
  return [
    compared,
    ...notCompared.map(({ name, why }) => `Not compared with ${safeText(`${name}: ${why}`)}`),
  ];
}

function reportText(report: LogReport, seconds: number): string {
  const { leaves, sealed, checkpoints, pending, unsigned, signedAt, ok, findings } = report;
  const lines = [
    `${leaves} records and ${checkpoints} checkpoints compared in ${seconds.toFixed(1)} s.`,
    signedAt === undefined || signedAt === 0
      ? 'No checkpoint says when the log was signed.'
      : `Signed last at ${new Date(signedAt).toISOString()}; ${unsigned} records since.`,
    ...outsideText(report),
    ...(sealed === 0 ? [] : [sealedText(report)]),
    ...(pending === 0 ? [] : [`${pending} records are not in the log yet.`]),
  ];
  if (ok) return [...lines, 'The log is intact.'].join('\n');
  const rows = findings.map(({ code, index, seq, id, count, message }) => [
    code,
    String(index ?? '-'),
    String(seq ?? '-'),
    id ?? '-',
    String(count),
    message,
  ]);
  // Whoever has tampered may have written an id that changes how a terminal shows this.
  const safe = rows.map((row) => row.map(safeText));
  const table = renderTable(['finding', 'index', 'seq', 'id of the first', 'how many', 'first'], safe, [
    null,
    null,
    null,
    null,
    null,
    60,
  ]);
  return [...lines, '', table, '', 'THE LOG IS NOT INTACT.'].join('\n');
}

/** Progress on stderr: a line that is written over on a terminal, and elsewhere one every few seconds. */
export function progressOn(
  stream: NodeJS.WriteStream,
  everyMs = 5000,
): (done: number, total: number, what?: string) => void {
  let saidAt = Date.now();
  return (done, total, what = 'records') => {
    if (!stream.isTTY && Date.now() - saidAt < everyMs) return;
    saidAt = Date.now();
    const text = `${done} of ${total} ${what}`;
    // What was there may be longer.
    if (stream.isTTY) stream.write(`\r\u001b[K${text}${done === total ? '\n' : ''}`);
    else stream.write(`${text}\n`);
  };
}
