import { basename } from 'node:path';

import { errorCodeOf } from '@sallyport/store';

import { checkSealedFile } from '../../seal/check-sealed-file.js';
import { isKept } from '../../seal/kept-records.js';
import { SealedFileError } from '../../seal/sealed-file.error.js';
import { safeText } from '../../safe-text.js';
import type { LogKeys, OpenedCheckpoint } from '../log-keys.js';
import type { LogRows, Seal } from '../log-rows.js';
import { LogFindings, type LogFinding } from './log-findings.js';
import { checkStored } from './outside.js';
import type { VerifyProgress } from './verify-progress.js';

export interface CheckedFiles {
  /** How many seals have their file among them. */
  readonly good: number;
  readonly findings: readonly LogFinding[];
}

/** What the files are compared with. */
export interface SealedFilesCheck {
  readonly rows: LogRows;
  readonly keys: LogKeys;
  readonly seals: readonly Seal[];
  readonly onProgress: VerifyProgress | undefined;
}

/**
 * Compares exported files with the leaves, with what was signed, and with the digests in the seals; and the database with
 * the records in them that it keeps, and with the checkpoint that each was sealed under.
 */
export async function checkSealedFiles(
  paths: readonly string[],
  check: SealedFilesCheck,
): Promise<CheckedFiles> {
  const findings = new LogFindings();
  const good = new Set<Seal>();
  for (const path of new Set(paths)) {
    const found = await checkOne(path, check);
    if ('finding' in found) findings.add(found.finding);
    else {
      good.add(found.seal);
      await checkKept(check.rows, path, found.kept, findings);
      await checkStored(
        check.rows,
        check.keys,
        [{ from: basename(path), checkpoint: found.checkpoint }],
        findings,
      );
    }
  }
  return { good: good.size, findings: findings.list() };
}

interface GoodFile {
  readonly seal: Seal;
  /** Indices of the records in it that stay in the database. */
  readonly kept: readonly number[];
  readonly checkpoint: OpenedCheckpoint;
}

async function checkOne(
  path: string,
  { rows, keys, seals, onProgress }: SealedFilesCheck,
): Promise<GoodFile | { readonly finding: LogFinding }> {
  const leafHashes = (first: number, count: number) => rows.leafHashes(first, count);
  const kept: number[] = [];
  const onLeaf = (leaf: Uint8Array, index: number) => {
    if (isKept(leaf)) kept.push(index);
  };
  const progress = (done: number, total: number) =>
    onProgress?.(done, total, `records of ${safeText(basename(path))}`);
  try {
    const { header, sha256 } = await checkSealedFile(path, {
      keys,
      leafHashes,
      onLeaf,
      onProgress: progress,
    });
    const seal = seals.find(({ from, to }) => from === header.from && to === header.to);
    if (seal?.sha256 === sha256) return { seal, kept, checkpoint: keys.open(header.checkpoint) };
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

/** What stays in the database when it is sealed is removed from there by nobody but a tamperer. */
async function checkKept(
  rows: LogRows,
  path: string,
  kept: readonly number[],
  findings: LogFindings,
): Promise<void> {
  for (const index of kept) {
    const [leaf] = await rows.logged(index, 1);
    if (leaf?.record !== undefined) continue;
    findings.add({
      code: 'record_removed',
      message: `The record at index ${index} is in ${basename(path)}, and is one that stays in the database as well: it was removed there.`,
      index,
      ...(leaf === undefined ? {} : { seq: leaf.seq }),
    });
  }
}

function findingOf(path: string, why: string, index?: number): LogFinding {
  return {
    code: 'sealed_file',
    message: `${basename(path)}: ${why}`,
    ...(index === undefined ? {} : { index }),
  };
}
