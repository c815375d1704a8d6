import { isPlainObject } from '@sallyport/mcp';
import { errorCodeOf } from '@sallyport/store';

import { AuditLogError } from '../log/log.errors.js';
import { checkSealedFile, type SealedFileCheck } from './check-sealed-file.js';
import { SealedFileError } from './sealed-file.error.js';

/**
 * The leaf of the record with this id in a sealed file, which is verified as a whole before.
 *
 * @throws AuditLogError when the file is not as it was sealed, or holds no such record
 */
export async function sealedRecord(
  file: string,
  id: string,
  check: SealedFileCheck,
): Promise<{ readonly index: number; readonly leaf: string }> {
  let found: { index: number; leaf: string } | undefined;
  const onLeaf = (bytes: Uint8Array, index: number) => {
    const leaf = Buffer.from(bytes).toString('utf8');
    if (leaf.includes(id) && idOf(leaf) === id) found = { index, leaf };
  };
  try {
    await checkSealedFile(file, { ...check, onLeaf });
  } catch (error) {
    if (error instanceof SealedFileError)
      throw new AuditLogError(`The file ${file} is not as it was sealed. ${error.message}`);
    if (errorCodeOf(error) === undefined) throw error;
    throw new AuditLogError(`The file ${file} cannot be read (${errorCodeOf(error)}).`);
  }
  if (found === undefined) throw new AuditLogError(`There is no record with the id ${id} in ${file}.`);
  return found;
}

/** A leaf that was logged is JSON of ours. */
function idOf(leaf: string): unknown {
  const record: unknown = JSON.parse(leaf);
  return isPlainObject(record) ? record['id'] : undefined;
}
