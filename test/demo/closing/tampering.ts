import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { ActualRecord } from '../audit-check.js';
import { sallyport, together } from '../command-line.js';
import type { ServerProcess } from '../../support/server-process.js';
import type { Closing } from './closing.js';

const DATABASE = 'sallyport.sqlite';

/** Whoever has the file can change the file. It shows, and where. */
export function tampering(copy: Environment): Closing {
  return async ({ server, ledger }, records) => {
    ledger.chapter('The signed log');
    const changed = target(records);
    const number = records.indexOf(changed) + 1;
    const [clean, tampered] = await together([verify(server.environment), verify(copy)]);
    ledger.compare('audit verify', 'exit 0: nothing', findingsIn(clean, records));
    ledger.compare(
      `audit verify, after one byte of record ${number} was changed in a copy of the database`,
      `exit 1: record_changed, record ${number} (${changed.entry})`,
      findingsIn(tampered, records),
    );
  };
}

type Environment = ServerProcess['environment'];

/**
 * A copy of everything the server stored, in which one byte of one record is another.
 *
 * @returns the surroundings of a command that is to work on the copy
 */
export async function tamperedCopy(
  { environment, dataDirectory }: ServerProcess,
  records: readonly ActualRecord[],
): Promise<Environment> {
  const copy = await copyOf(dataDirectory);
  const database = join(copy, DATABASE);
  await flipOneByte(database, target(records).argumentsDigest ?? '');
  return { ...environment, DATA_DIR: copy, DATABASE_URL: `sqlite:${database}` };
}

export interface Verified {
  readonly code: number;
  readonly findings: readonly { readonly code: string; readonly id?: string | undefined }[];
}

const report = z.object({
  findings: z.array(z.object({ code: z.string(), id: z.string().optional() })),
});

/** `sallyport audit verify`. */
export async function verify(environment: Environment): Promise<Verified> {
  const { code, out, error } = await sallyport(environment, ['audit', 'verify', '--json']);
  if (!out.startsWith('{')) throw new Error(`verify gave no report: ${error}`);
  return { code, ...report.parse(JSON.parse(out)) };
}

/** By the place of the record in the story. */
export function findingsIn({ code, findings }: Verified, records: readonly ActualRecord[]): string {
  const named = findings.map((finding) => {
    const index = records.findIndex(({ id }) => id === finding.id);
    return `${finding.code}, record ${index + 1} (${records[index]?.entry ?? 'none of the story'})`;
  });
  return `exit ${code}: ${named.join('\n') || 'nothing'}`;
}

/** Lena's one call: its arguments are in it as a hash that stands nowhere else. */
function target(records: readonly ActualRecord[]): ActualRecord {
  const found = records.find(({ entry, subject }) => entry === 'crm_open_record' && subject === 'lena');
  if (found === undefined) throw new Error('Lena opened no record.');
  return found;
}

async function copyOf(directory: string): Promise<string> {
  const copy = join(directory, 'tampered');
  await mkdir(copy);
  const files = await readdir(directory, { withFileTypes: true });
  for (const { name } of files.filter((file) => file.isFile()))
    await copyFile(join(directory, name), join(copy, name));
  return copy;
}

/** Behind the back of SQLite, which has triggers that refuse it. */
async function flipOneByte(file: string, text: string): Promise<void> {
  const bytes = await readFile(file);
  const at = bytes.indexOf(text);
  if (text === '' || at < 0 || bytes.includes(text, at + 1)) {
    throw new Error('The hash does not stand at one place in the file.');
  }
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(file, bytes);
}
