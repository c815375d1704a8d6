import type { DataSourceOptions } from 'typeorm';

/** How long a record may take on a server under test, in milliseconds. */
export const TIMEOUT_MS = 500;

/** Ends what it was given for. */
export type Repair = () => Promise<unknown>;

/**
 * What becomes of a call that ran:
 * - `unrecorded`: its outcome was not committed, and its result is withheld;
 * - `recorded`: its outcome is committed, but the server cannot know that, and withholds the result;
 * - `answered`: it took its time and went well.
 */
export type AfterRun = 'unrecorded' | 'recorded' | 'answered';

/** A way in which records become impossible. */
export interface Fault<D> {
  readonly name: string;
  /** From now on. */
  readonly strike: (database: D) => Promise<Repair>;
  /** While the next outcome is written: in one or more ways. */
  readonly during: readonly {
    readonly how: string;
    readonly arm: (database: D) => Promise<Repair>;
    readonly leads: AfterRun;
  }[];
  /** The server must first find out that its connections are gone. */
  readonly healsSlowly?: true;
}

/** A database with an audit in it, that can be made to fail. */
export interface FaultyDatabase {
  /** As the audit of a server in this process reaches it. */
  readonly options: DataSourceOptions;
  /** As a server in a process of its own does. */
  readonly processOptions: DataSourceOptions;
  /** As a test reaches it, whatever the server has to endure. */
  readonly direct: DataSourceOptions;
  /** How many connections the audit has to it. */
  connections(): Promise<number>;
  stop(): Promise<void>;
}
