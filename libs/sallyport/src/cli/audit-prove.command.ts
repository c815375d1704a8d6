import { readFile, writeFile } from 'node:fs/promises';
import type { INestApplicationContext } from '@nestjs/common';
import { AuditLog, checkProof } from '@sallyport/audit';
import { CliError } from './cli-error.js';

/** Options of `audit prove`, as commander hands them over. */
export interface AuditProveOptions {
  /** Path without ending; default: the id. */
  readonly out?: string;
  /** Sealed file that holds the record. */
  readonly from?: string;
}

const LONGEST_FILE_BYTES = 16 * 1024 * 1024;

/** Writes the record and its proof into two files, and says how anybody can verify them. */
export async function auditProve(
  context: INestApplicationContext,
  id: string,
  { out, from }: AuditProveOptions,
): Promise<string> {
  const { index, size, leaf, proof, keys } = await context.get(AuditLog, { strict: false }).prove(id, from);
  const base = out ?? fileName(id);
  // Byte for byte: the leaf is what the proof is about.
  await writeFile(`${base}.json`, leaf);
  await writeFile(`${base}.tlog-proof`, proof);
  return [
    `Record ${id} is number ${index} of the ${size} that were signed.`,
    'Without this server, its database or its keys, it is verified with:',
    ...keys.map((key) => `  sallyport audit check-proof ${base}.json ${base}.tlog-proof --key '${key}'`),
  ].join('\n');
}

/** An id is a UUID; of anything else in the database no path is made. */
function fileName(id: string): string {
  if (/^[\w-]{1,64}$/.test(id)) return id;
  throw new CliError('This id makes no file name: say --out path/without-ending.');
}

/** Verifies a record and its proof with a verifier key and nothing else. */
export async function auditCheckProof(leafFile: string, proofFile: string, key: string): Promise<string> {
  const leaf = await bytesIn(leafFile);
  const { origin, index, size, signedAt } = checkProof(
    leaf,
    (await bytesIn(proofFile)).toString('utf8'),
    key,
  );
  const when = signedAt === undefined ? '' : `, signed at ${new Date(signedAt).toISOString()}`;
  return `The proof holds: ${leafFile} is record number ${index} of the ${size} in the log ${origin}${when}.`;
}

async function bytesIn(file: string): Promise<Buffer> {
  const bytes = await readFile(file).catch(() => {
    throw new CliError(`The file ${file} cannot be read.`);
  });
  if (bytes.length <= LONGEST_FILE_BYTES) return bytes;
  throw new CliError(`The file ${file} is too long for a record or a proof.`);
}
