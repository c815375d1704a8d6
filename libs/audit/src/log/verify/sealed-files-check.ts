import { basename } from 'node:path';

import { errorCodeOf } from '@sallyport/store';

import { checkSealedFile } from '../../seal/check-sealed-file.js';
import { SealedFileError } from '../../seal/sealed-file.error.js';
import type { LogKeys } from '../log-keys.js';
import type { LogRows, Seal } from '../log-rows.js';
import type { LogFinding } from './log-findings.js';

export interface CheckedFiles {
  /** How many seals have their file among them. */
  readonly good: number;
  readonly findings: readonly LogFinding[];
}

/** Compares exported files with the leaves, with what was signed, and with the digests in the seals. */
export async function checkSealedFiles(
  paths: readonly string[],
  { rows, keys, seals }: { readonly rows: LogRows; readonly keys: LogKeys; readonly seals: readonly Seal[] },
): Promise<CheckedFiles> {
  const findings: LogFinding[] = [];
  const good = new Set<Seal>();
  for (const path of new Set(paths)) {
    const found = await checkOne(path, rows, keys, seals);
    if ('finding' in found) findings.push(found.finding);
    else good.add(found.seal);
  }
  return { good: good.size, findings };
}

async function checkOne(
  path: string,
  rows: LogRows,
  keys: LogKeys,
  seals: readonly Seal[],
): Promise<{ readonly seal: Seal } | { readonly finding: LogFinding }> {
  const leafHashes = (first: number, count: number) => rows.leafHashes(first, count);
  try {
    const { header, sha256 } = await checkSealedFile(path, { keys, leafHashes });
    const seal = seals.find(({ from, to }) => from === header.from && to === header.to);
    if (seal?.sha256 === sha256) return { seal };
    const why =
      seal === undefined
        ? 'No seal in the database is about these records.'
        : 'Its digest is not the one of the seal: it holds the records that were logged, in another form.';
    return { finding: findingOf(path, why, header.from) };
  } catch (error) {
    if (error instanceof SealedFileError) return { finding: findingOf(path, error.message, error.index) };
    if (errorCodeOf(error) === undefined) throw error;
    return { finding: findingOf(path, `It cannot be read (${errorCodeOf(error)}).`) };
  }
}

function findingOf(path: string, why: string, index?: number): LogFinding {
  return {
    code: 'sealed_file',
    message: `${basename(path)}: ${why}`,
    ...(index === undefined ? {} : { index }),
  };
}
