import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import { tilePath, tilesFor, type TileAt } from '@sallyport/tlog';

import { readIfPresent } from '../read-if-present.js';
import { writeFileAtomically } from '../write-file-atomically.js';
import type { CheckpointPublisher, PublishedCheckpoint } from './checkpoint-publisher.js';

const HASH_BYTES = 32;

/**
 * Writes the log as static files (c2sp.org/tlog-tiles): `checkpoint`, and the tiles of its tree. Served by any web server,
 * tools that know the format can follow it. It holds hashes and nothing of a record.
 */
export function tileDirectory(directory: string): CheckpointPublisher {
  const newest = join(directory, 'checkpoint');
  let written = 0;
  return {
    name: `the directory ${directory}`,
    publish: async (checkpoint) => {
      for (const tile of tilesFor(written, checkpoint.size)) await writeTile(directory, tile, checkpoint);
      written = checkpoint.size;
      // After its tiles: whoever sees a checkpoint can read its tree.
      await writeFileAtomically(newest, checkpoint.note);
    },
    latest: () => readIfPresent(newest),
  };
}

/** A tile never changes: what is there already is right. */
async function writeTile(directory: string, tile: TileAt, { tiles }: PublishedCheckpoint): Promise<void> {
  const path = join(directory, tilePath(tile));
  if (await exists(path)) return;
  const hashes = await tiles.readTile(tile);
  if (hashes.length !== tile.width * HASH_BYTES) throw new Error('A tile is not there whole.');
  await writeFileAtomically(path, hashes);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
