import { readIfPresent } from '../read-if-present.js';
import { writeFileAtomically } from '../write-file-atomically.js';
import type { CheckpointPublisher } from './checkpoint-publisher.js';

/**
 * Keeps the newest checkpoint in a file, such as on a volume that is backed up apart from the database.
 *
 * @example
 * audit: { log: { key, publish: [checkpointFile('/mnt/evidence/checkpoint')] } }
 */
export function checkpointFile(path: string): CheckpointPublisher {
  return {
    name: `the file ${path}`,
    publish: ({ note }) => writeFileAtomically(path, note),
    latest: () => readIfPresent(path),
  };
}
