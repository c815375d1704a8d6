import type { TileSource } from '@sallyport/tlog';

/** A checkpoint on its way out of the database. */
export interface PublishedCheckpoint {
  readonly size: number;
  /** The signed note. */
  readonly note: string;
  /** Tiles of the tree, for a publisher that keeps them as well. Readable while `publish` runs. */
  readonly tiles: TileSource;
}

/**
 * A place for checkpoints that does not fall together with the database. What it holds is also a memory: before the
 * first checkpoint is given to it, the log is compared with the newest one that it holds.
 */
export interface CheckpointPublisher {
  /** For messages: says where, and holds no secret. */
  readonly name: string;
  /** Keeps a checkpoint. Rejects when that failed; the newest one is tried again later. */
  publish(checkpoint: PublishedCheckpoint): Promise<void>;
  /** The newest note that it holds. */
  latest(): Promise<string | undefined>;
  /** Lets go of connections. */
  close?(): Promise<void>;
}
