import type { Store } from '@sallyport/store';
import type { QueryRunner } from 'typeorm';

import { pooledConnection, type LogConnection } from './log-connection.js';
import { logNames } from './log-names.js';

/** One process at a time orders the leaves. Correct without it, because an index is taken once; calm because of it. */
export interface Office {
  /** The connection to work over while the office is held; `undefined` when another holds it. */
  enter(): Promise<LogConnection | undefined>;
  /** Lets another have it. Never rejects. */
  leave(): Promise<void>;
}

export function officeOf(store: Store, timeoutMs: number): Office {
  if (store.dataSource.options.type === 'postgres') return new PostgresOffice(store, timeoutMs);
  const connection = pooledConnection(store);
  return { enter: () => Promise.resolve(connection), leave: () => Promise.resolve() };
}

interface Held {
  readonly runner: QueryRunner;
  readonly client: unknown;
  readonly connection: LogConnection;
}

/** A process that stops answering loses its connection, and with it the office. PostgreSQL 14 and later. */
const IDLE_LIMIT_MS = 15_000;
const GRACE_MS = 1000;

/**
 * A session-level advisory lock on a connection of its own, over which all work of the office runs: whoever loses the
 * connection has lost the office. It does not work through a pooler that gives each transaction another connection.
 */
class PostgresOffice implements Office {
  private held: Held | undefined;

  constructor(
    private readonly store: Store,
    private readonly timeoutMs: number,
  ) {}

  async enter(): Promise<LogConnection | undefined> {
    if (this.held?.runner.isReleased === true) this.held = undefined;
    this.held ??= await this.take();
    return this.held?.connection;
  }

  async leave(): Promise<void> {
    const { held } = this;
    this.held = undefined;
    if (held === undefined || held.runner.isReleased) return;
    try {
      await held.connection.query('SELECT pg_advisory_unlock_all()', []);
      await held.connection.query(
        `SELECT set_config(name, reset_val, false) FROM pg_settings WHERE name IN (${SETTINGS})`,
        [],
      );
    } catch {
      // A connection that cannot say so has lost the lock, or loses it now.
      endClient(held.client);
    }
    await held.runner.release().catch(() => undefined);
  }

  private async take(): Promise<Held | undefined> {
    const runner = this.store.dataSource.createQueryRunner();
    const client: unknown = await runner.connect();
    const connection = oneAtATime({
      query: (statement, parameters) => this.ask(runner, client, statement, parameters),
    });
    try {
      if (await this.lock(connection)) {
        await connection.query(PREPARE, [String(IDLE_LIMIT_MS)]);
        return { runner, client, connection };
      }
    } catch (error) {
      endClient(client);
      await runner.release().catch(() => undefined);
      throw error;
    }
    await runner.release();
    return undefined;
  }

  private async lock(connection: LogConnection): Promise<boolean> {
    const [answer] = await connection.query<{ taken: boolean }>(
      'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS taken',
      [`sallyport log ${logNames(this.store.dataSource).leaf}`],
    );
    return answer?.taken === true;
  }

  /** Ends a connection that no longer answers. */
  private async ask<Row>(
    runner: QueryRunner,
    client: unknown,
    statement: string,
    parameters: readonly unknown[],
  ): Promise<Row[]> {
    const giveUp = setTimeout(() => endClient(client), this.timeoutMs + GRACE_MS);
    try {
      const { records } = await runner.query(statement, [...parameters], true);
      return records ?? [];
    } finally {
      clearTimeout(giveUp);
    }
  }
}

/** A connection of PostgreSQL runs one statement after the other. */
function oneAtATime(connection: LogConnection): LogConnection {
  let last: Promise<unknown> = Promise.resolve();
  return {
    query: <Row>(statement: string, parameters: readonly unknown[]) => {
      const answer = last.then(() => connection.query<Row>(statement, parameters));
      // Whoever asked is told; the next one goes on.
      last = answer.catch(() => undefined);
      return answer;
    },
  };
}

const SETTINGS = `'idle_session_timeout', 'synchronous_commit'`;

/** Where a setting is not known (idle_session_timeout before PostgreSQL 14), it is left out. */
const PREPARE = `SELECT set_config(name, CASE WHEN name = 'idle_session_timeout' THEN $1
    WHEN setting = 'off' THEN 'on' ELSE setting END, false)
  FROM pg_settings WHERE name IN (${SETTINGS})`;

function endClient(client: unknown): void {
  if (typeof client === 'object' && client !== null && 'end' in client && typeof client.end === 'function')
    client.end();
}
