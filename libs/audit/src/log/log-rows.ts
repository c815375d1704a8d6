import { TILE_WIDTH, type Hash, type TileAt } from '@sallyport/tlog';
import type { DataSource } from 'typeorm';

import type { StoredRecord } from './record-columns.js';
import type { LogConnection } from './log-connection.js';
import { forDialect, logNames, type LogNames } from './log-names.js';
import { RecordColumns } from './record-columns.js';

/** A full tile as it is stored. */
export interface StoredTile {
  readonly level: number;
  readonly index: number;
  readonly root: Hash;
  /** 256 × 32 bytes. */
  readonly hashes: Uint8Array;
}

/** One signing. */
export interface StoredCheckpoint {
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The signed note. */
  readonly note: string;
}

/** A leaf, and the record that it stands for when that is there. */
export interface LoggedRecord {
  readonly index: number;
  readonly seq: number;
  readonly hash: Hash;
  readonly record: StoredRecord | undefined;
}

/** A range of leaves whose records left the database; `from` and `to` are indices, both included. */
export interface Seal {
  readonly from: number;
  readonly to: number;
  /** Of the exported file, hexadecimal. */
  readonly sha256: string;
  readonly file: string;
  /** When it was added; milliseconds since the epoch. */
  readonly at: number;
}

type Row = Readonly<Record<string, unknown>>;

/** Rows of the log, read and added; never changed. Every method is one statement. */
export class LogRows {
  private readonly isPostgres: boolean;
  private readonly names: LogNames;
  private readonly columns: RecordColumns;

  constructor(
    private readonly connection: LogConnection,
    dataSource: DataSource,
  ) {
    this.isPostgres = dataSource.options.type === 'postgres';
    this.names = logNames(dataSource);
    this.columns = new RecordColumns(dataSource);
  }

  /** Where the last leaf ends, whether or not there is one at every index before. */
  async size(): Promise<number> {
    const last = await this.number(
      `SELECT max(idx) AS value FROM ${this.names.leaf} WHERE idx >= 0 AND idx <= ?`,
      [Number.MAX_SAFE_INTEGER],
      -1,
    );
    return last + 1;
  }

  /** How many of the indices from `first` to before `end` have a leaf. */
  async countLeaves(first: number, end: number): Promise<number> {
    return this.number(
      `SELECT count(*) AS value FROM ${this.names.leaf} WHERE idx >= ? AND idx < ?`,
      [first, end],
      0,
    );
  }

  /** The highest `seq` of the leaves from index `first` to before `end`; 0 when there is none. */
  async lastSeq(first: number, end: number): Promise<number> {
    return this.number(
      `SELECT max(seq) AS value FROM ${this.names.leaf} WHERE idx >= ? AND idx < ?`,
      [first, end],
      0,
    );
  }

  /** The highest `seq` of all records; 0 when there is none. */
  async lastRecord(): Promise<number> {
    return this.number(`SELECT max(seq) AS value FROM ${this.names.record}`, [], 0);
  }

  /** Records above `after`, up to `until`, that have no leaf yet: the first `limit` of them in order of `seq`. */
  async unsequenced(after: number, until: number, limit: number): Promise<StoredRecord[]> {
    const { record, leaf } = this.names;
    const rows = await this.rows(
      `SELECT ${this.columns.selected} FROM ${record} r WHERE r.seq > ? AND r.seq <= ?
       AND NOT EXISTS (SELECT 1 FROM ${leaf} l WHERE l.seq = r.seq) ORDER BY r.seq LIMIT ?`,
      [after, until, limit],
    );
    return rows.flatMap((row) => this.columns.read(row) ?? []);
  }

  /**
   * The number of the last of the next `count` records above `after`, up to `until`; `undefined`: there are none. By rows
   * and not by numbers, because whoever may insert decides how far apart these are.
   */
  async windowEnd(after: number, until: number, count: number): Promise<number | undefined> {
    const end = await this.number(
      `SELECT max(seq) AS value FROM (SELECT seq FROM ${this.names.record}
       WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?) AS part`,
      [after, until, count],
      after,
    );
    return end > after ? end : undefined;
  }

  /** Records whose numbers are none that a database gives by itself: the first `limit` of them. */
  async misnumbered(limit: number): Promise<{ seq: number; id: string }[]> {
    const rows = await this.rows(
      `SELECT seq, id FROM ${this.names.record} WHERE seq < 1 OR seq > ? ORDER BY seq LIMIT ?`,
      [Number.MAX_SAFE_INTEGER, limit],
    );
    return rows.map((row) => ({ seq: Number(row['seq']), id: String(row['id']) }));
  }

  /** Leaves at places where no tree has any: the first `limit` of them. */
  async misplaced(limit: number): Promise<{ index: number; seq: number }[]> {
    const rows = await this.rows(
      `SELECT idx, seq FROM ${this.names.leaf} WHERE idx < 0 OR idx > ? ORDER BY idx LIMIT ?`,
      [Number.MAX_SAFE_INTEGER, limit],
    );
    return rows.map((row) => ({ index: Number(row['idx']), seq: Number(row['seq']) }));
  }

  /** The lowest index from `first` on that has a leaf. */
  async nextIndex(first: number): Promise<number | undefined> {
    const index = await this.number(
      `SELECT min(idx) AS value FROM ${this.names.leaf} WHERE idx >= ? AND idx <= ?`,
      [first, Number.MAX_SAFE_INTEGER],
      -1,
    );
    return index === -1 ? undefined : index;
  }

  /** Number, id and time of the records above `after`, up to `until`, that have no leaf. */
  async unlogged(after: number, until: number): Promise<{ seq: number; id: string; at: number }[]> {
    const { record, leaf } = this.names;
    const rows = await this.rows(
      `SELECT r.seq, r.id, r.at FROM ${record} r WHERE r.seq > ? AND r.seq <= ?
       AND NOT EXISTS (SELECT 1 FROM ${leaf} l WHERE l.seq = r.seq) ORDER BY r.seq`,
      [after, until],
    );
    return rows.map((row) => ({ seq: Number(row['seq']), id: String(row['id']), at: Number(row['at']) }));
  }

  /** Adds leaves from index `first` on, all of them or none: a conflict means that somebody else was faster. */
  async append(
    first: number,
    leaves: readonly { readonly seq: number; readonly hash: Hash }[],
  ): Promise<void> {
    // One text for any number of rows: the numbers as a list, the hashes one after the other.
    const seqs = leaves.map(({ seq }) => seq);
    const hashes = Buffer.concat(leaves.map(({ hash }) => hash));
    if (this.isPostgres) {
      await this.rows(
        `INSERT INTO ${this.names.leaf} (idx, seq, hash)
         SELECT ?::bigint + n - 1, seq, substring(?::bytea FROM ((n - 1) * 32 + 1)::int FOR 32)
         FROM unnest(?::bigint[]) WITH ORDINALITY AS given (seq, n)`,
        [first, hashes, seqs],
      );
      return;
    }
    await this.rows(
      `INSERT INTO ${this.names.leaf} (idx, seq, hash)
       SELECT ? + key, value, substr(?, key * 32 + 1, 32) FROM json_each(?)`,
      [first, hashes, JSON.stringify(seqs)],
    );
  }

  /** Hashes of the leaves from `first` on, `count` of them when they are there, one after the other. */
  async leafHashes(first: number, count: number): Promise<Uint8Array> {
    const rows = await this.rows(
      `SELECT hash FROM ${this.names.leaf} WHERE idx >= ? AND idx < ? ORDER BY idx`,
      [first, first + count],
    );
    return Buffer.concat(rows.map(({ hash }) => bytesOf(hash)));
  }

  /** Roots of the full tiles of a level, as {@link leafHashes}: they are the hashes of the level above. */
  async tileRoots(level: number, first: number, count: number): Promise<Uint8Array> {
    const rows = await this.rows(
      `SELECT root FROM ${this.names.tile} WHERE level = ? AND idx >= ? AND idx < ? ORDER BY idx`,
      [level, first, first + count],
    );
    return Buffer.concat(rows.map(({ root }) => bytesOf(root)));
  }

  /** The hashes of a full tile. */
  async tile(level: number, index: number): Promise<Uint8Array | undefined> {
    const [row] = await this.rows(`SELECT hashes FROM ${this.names.tile} WHERE level = ? AND idx = ?`, [
      level,
      index,
    ]);
    return row && bytesOf(row['hashes']);
  }

  async tiles(level: number, first: number, count: number): Promise<StoredTile[]> {
    const rows = await this.rows(
      `SELECT level, idx, root, hashes FROM ${this.names.tile}
       WHERE level = ? AND idx >= ? AND idx < ? ORDER BY idx`,
      [level, first, first + count],
    );
    return rows.map((row) => ({
      level: Number(row['level']),
      index: Number(row['idx']),
      root: bytesOf(row['root']),
      hashes: bytesOf(row['hashes']),
    }));
  }

  /** How many of the full tiles before `end` a level has. */
  async countTiles(level: number, end: number): Promise<number> {
    return this.number(
      `SELECT count(*) AS value FROM ${this.names.tile} WHERE level = ? AND idx >= 0 AND idx < ?`,
      [level, end],
      0,
    );
  }

  /** The first `limit` tiles of a level from `first` on, or of levels where no tree has any. */
  async tilesFrom(level: number, first: number, limit: number): Promise<TileAt[]> {
    const rows = await this.rows(
      `SELECT level, idx FROM ${this.names.tile} WHERE level = ? AND (idx < 0 OR idx >= ?) ORDER BY idx LIMIT ?`,
      [level, first, limit],
    );
    return rows.map(tileAtOf);
  }

  /** Tiles of levels below 0 or above `highest`: the first `limit` of them. */
  async tilesBeyond(highest: number, limit: number): Promise<TileAt[]> {
    const rows = await this.rows(
      `SELECT level, idx FROM ${this.names.tile} WHERE level < 0 OR level > ? ORDER BY level, idx LIMIT ?`,
      [highest, limit],
    );
    return rows.map(tileAtOf);
  }

  /** Adds a full tile. Where there is one already, that one stays: compare it. */
  async addTile({ level, index, root, hashes }: StoredTile): Promise<void> {
    if (hashes.length !== TILE_WIDTH * 32)
      throw new RangeError(`The leaves of tile ${index} on level ${level} are not all there.`);
    await this.addOnce(this.names.tile, {
      columns: ['level', 'idx', 'root', 'hashes'],
      values: [level, index, Buffer.from(root), Buffer.from(hashes)],
      key: 2,
    });
  }

  async addCheckpoint({ size, at, note }: StoredCheckpoint): Promise<void> {
    await this.addOnce(this.names.checkpoint, {
      columns: ['size', 'at', 'note'],
      values: [size, at, note],
      key: 2,
    });
  }

  /** The last `limit` checkpoints before this one, or of all; the newest first. Nothing of them is verified. */
  async checkpointsBefore(
    newer: Pick<StoredCheckpoint, 'size' | 'at'> | undefined,
    limit: number,
  ): Promise<StoredCheckpoint[]> {
    const { size, at } = newer ?? { size: Number.MAX_SAFE_INTEGER, at: Number.MAX_SAFE_INTEGER };
    const rows = await this.rows(
      `SELECT size, at, note FROM ${this.names.checkpoint}
       WHERE (size < ? OR (size = ? AND at < ?)) AND ${IN_PLACE} ORDER BY size DESC, at DESC LIMIT ?`,
      [size, size, at, ...PLACES, limit],
    );
    return rows.map(checkpointOf);
  }

  /** The first `limit` checkpoints after this one, in order of size and time. Nothing of them is verified. */
  async checkpointsAfter(size: number, at: number, limit: number): Promise<StoredCheckpoint[]> {
    const rows = await this.rows(
      `SELECT size, at, note FROM ${this.names.checkpoint}
       WHERE (size > ? OR (size = ? AND at > ?)) AND ${IN_PLACE} ORDER BY size, at LIMIT ?`,
      [size, size, at, ...PLACES, limit],
    );
    return rows.map(checkpointOf);
  }

  /** Rows of checkpoints whose columns are no size and no time. */
  async misplacedCheckpoints(): Promise<number> {
    return this.number(
      `SELECT count(*) AS value FROM ${this.names.checkpoint} WHERE NOT (${IN_PLACE})`,
      PLACES,
      0,
    );
  }

  /** Whether this note is among the checkpoints of its size. */
  async hasCheckpoint(size: number, note: string): Promise<boolean> {
    const rows = await this.rows(
      `SELECT 1 AS found FROM ${this.names.checkpoint} WHERE size = ? AND note = ? LIMIT 1`,
      [size, note],
    );
    return rows.length > 0;
  }

  /** The first `limit` leaves from index `first` on, each with its record. */
  async logged(first: number, limit: number): Promise<LoggedRecord[]> {
    const { record, leaf } = this.names;
    const rows = await this.rows(
      `SELECT l.idx AS leaf_idx, l.seq AS leaf_seq, l.hash AS leaf_hash, ${this.columns.selected}
       FROM ${leaf} l LEFT JOIN ${record} r ON r.seq = l.seq
       WHERE l.idx >= ? AND l.idx < ? ORDER BY l.idx`,
      [first, first + limit],
    );
    return rows.map((row) => ({
      index: Number(row['leaf_idx']),
      seq: Number(row['leaf_seq']),
      hash: bytesOf(row['leaf_hash']),
      record: this.columns.read(row),
    }));
  }

  /** The record of this id, and the index of its leaf when it has one. */
  async find(id: string): Promise<{ record: StoredRecord; index: number | undefined } | undefined> {
    const { record, leaf } = this.names;
    const [row] = await this.rows(
      `SELECT l.idx AS leaf_idx, ${this.columns.selected}
       FROM ${record} r LEFT JOIN ${leaf} l ON l.seq = r.seq WHERE r.id = ?`,
      [id],
    );
    const found = row && this.columns.read(row);
    if (row === undefined || found === undefined) return undefined;
    return { record: found, index: row['leaf_idx'] === null ? undefined : Number(row['leaf_idx']) };
  }

  async seals(): Promise<Seal[]> {
    const rows = await this.rows(
      `SELECT from_idx, to_idx, sha256, file, at FROM ${this.names.seal} ORDER BY from_idx`,
      [],
    );
    return rows.map((row) => ({
      from: Number(row['from_idx']),
      to: Number(row['to_idx']),
      sha256: String(row['sha256']),
      file: String(row['file']),
      at: Number(row['at']),
    }));
  }

  /** Adds a row unless there is one with this key, which are the first `key` columns. */
  private async addOnce(
    table: string,
    { columns, values, key }: { columns: readonly string[]; values: readonly unknown[]; key: number },
  ): Promise<void> {
    const [names, marks] = [columns.join(', '), columns.map(() => '?').join(', ')];
    if (this.isPostgres) {
      await this.rows(`INSERT INTO ${table} (${names}) VALUES (${marks}) ON CONFLICT DO NOTHING`, values);
      return;
    }
    // The trigger against INSERT OR REPLACE refuses a key that is there before a conflict could be passed over.
    const same = columns.slice(0, key).map((name) => `${name} = ?`);
    await this.rows(
      `INSERT INTO ${table} (${names}) SELECT ${marks} WHERE NOT EXISTS (SELECT 1 FROM ${table} WHERE ${same.join(' AND ')})`,
      [...values, ...values.slice(0, key)],
    );
  }

  private async number(statement: string, parameters: readonly unknown[], none: number): Promise<number> {
    const [row] = await this.rows(statement, parameters);
    const value = row?.['value'];
    return value === null || value === undefined ? none : Number(value);
  }

  private rows(statement: string, parameters: readonly unknown[]): Promise<Row[]> {
    return this.connection.query<Row>(forDialect(statement, this.isPostgres), parameters);
  }
}

/** Whoever may add a row may give it any number; none of ours is another one. */
const IN_PLACE = 'size BETWEEN 0 AND ? AND at BETWEEN 0 AND ?';
const PLACES = [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];

function tileAtOf(row: Row): TileAt {
  return { level: Number(row['level']), index: Number(row['idx']), width: TILE_WIDTH };
}

function checkpointOf(row: Row): StoredCheckpoint {
  return { size: Number(row['size']), at: Number(row['at']), note: String(row['note']) };
}

/** Both drivers give bytes as a `Buffer`; what is none was put there by somebody else, and hashes to nothing of ours. */
function bytesOf(value: unknown): Uint8Array {
  return value instanceof Uint8Array ? value : new Uint8Array(0);
}
