import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import type { INestApplicationContext } from '@nestjs/common';
import { AuditDisclosure, AuditLog, checkProof, safeText } from '@sallyport/audit';
import { errorCodeOf } from '@sallyport/store';
import { operator } from './audit-filter.js';
import { CliError } from './cli-error.js';
import { safeJson } from './safe-json.js';

/** Options of `audit prove`, as commander hands them over. */
export interface AuditProveOptions {
  /** Path without ending; default: the id. */
  readonly out?: string;
  /** Sealed file that holds the record. */
  readonly from?: string;
  /** Replaces files that are there. */
  readonly force?: boolean;
  readonly json?: boolean;
}

const LONGEST_FILE_BYTES = 16 * 1024 * 1024;

/**
 * Writes the record and its proof into two files, and says how anybody can verify them. That it leaves is recorded before it
 * does.
 */
export async function auditProve(
  context: INestApplicationContext,
  id: string,
  { out, from, force, json }: AuditProveOptions,
): Promise<string> {
  const base = out ?? fileName(id);
  const files = [`${base}.json`, `${base}.tlog-proof`] as const;
  if (force !== true) refuseExisting(files);
  const { index, size, leaf, proof, keys } = await context.get(AuditLog, { strict: false }).prove(id, from);
  await context.get(AuditDisclosure, { strict: false }).prove(operator(), id);
  // Byte for byte: the leaf is what the proof is about.
  await writeOwn(files[0], leaf, force);
  await writeOwn(files[1], proof, force);
  if (json === true) return safeJson({ id, index, size, record: files[0], proof: files[1], keys });
  return [
    `Record ${id} is number ${index} of the ${size} that were signed.`,
    'Without this server, its database or its keys, it is verified with:',
    ...keys.map((key) => `  sallyport audit check-proof ${base}.json ${base}.tlog-proof --key '${key}'`),
  ]
    .map(safeText)
    .join('\n');
}

/** Before anything is recorded as shown. */
function refuseExisting(files: readonly string[]): void {
  const existing = files.find((file) => existsSync(file));
  if (existing === undefined) return;
  throw new CliError(`There is a file ${existing} already: write --force to replace it, or another --out.`);
}

/** For whoever runs the command alone: a record may name people. A file that is replaced has the rights of a new one. */
async function writeOwn(file: string, text: string, force: boolean | undefined): Promise<void> {
  if (force === true) await rm(file, { force: true });
  await writeFile(file, text, { mode: 0o600, flag: 'wx' }).catch((error: unknown) => {
    throw new CliError(`The file ${file} cannot be made (${errorCodeOf(error) ?? 'no code'}).`);
  });
}

/** An id is a UUID; of anything else in the database no path is made. */
function fileName(id: string): string {
  if (/^[\w-]{1,64}$/.test(id)) return id;
  throw new CliError('This id makes no file name: say --out path/without-ending.');
}

/** Verifies a record and its proof with a verifier key and nothing else. */
export async function auditCheckProof(
  leafFile: string,
  proofFile: string,
  { key, json }: { readonly key: string; readonly json?: boolean },
): Promise<string> {
  const leaf = await bytesIn(leafFile);
  const { origin, index, size, signedAt } = checkProof(
    leaf,
    (await bytesIn(proofFile)).toString('utf8'),
    key,
  );
  const at = signedAt === undefined ? undefined : new Date(signedAt).toISOString();
  if (json === true)
    return safeJson({ holds: true, log: origin, index, size, ...(at !== undefined && { signedAt: at }) });
  const when = at === undefined ? '' : `, signed at ${at}`;
  return `The proof holds: ${leafFile} is record number ${index} of the ${size} in the log ${origin}${when}.`;
}

async function bytesIn(file: string): Promise<Buffer> {
  const bytes = await readFile(file).catch(() => {
    throw new CliError(`The file ${file} cannot be read.`);
  });
  if (bytes.length <= LONGEST_FILE_BYTES) return bytes;
  throw new CliError(`The file ${file} is too long for a record or a proof.`);
}
