import { DataSource, type DataSourceOptions } from 'typeorm';

/** One row of a call, as somebody reads it who knows nothing of the audit but its table. */
interface Row {
  readonly kind: 'attempt' | 'outcome';
  readonly id: string;
  readonly attempt: string | null;
  readonly call: string;
  readonly status: string | null;
}

/** What is on record of calls. */
export class Account {
  constructor(readonly rows: readonly Row[]) {}

  /** Reads over a connection of its own. `undefined`: there is no such table yet. */
  static async read(database: DataSourceOptions): Promise<Account | undefined> {
    const reader = await new DataSource({ ...database }).initialize();
    try {
      if (!(await reader.createQueryRunner().hasTable('sallyport_audit'))) return undefined;
      return new Account(
        await reader.query<Row[]>(
          `SELECT kind, id, attempt, "call", status FROM sallyport_audit WHERE kind IN ('attempt', 'outcome') ORDER BY seq`,
        ),
      );
    } finally {
      await reader.destroy();
    }
  }

  get attempts(): readonly Row[] {
    return this.rows.filter(({ kind }) => kind === 'attempt');
  }

  get outcomes(): readonly Row[] {
    return this.rows.filter(({ kind }) => kind === 'outcome');
  }

  /** What is on record of one call: `attempt`, and the status of its outcome. */
  of(call: string): string[] {
    return this.rows.filter((row) => row.call === call).map(({ kind, status }) => status ?? kind);
  }

  /**
   * Where the promise was broken, in sentences. Empty: no side effect without an attempt, no answer without an outcome,
   * and no outcome without an attempt.
   *
   * @param effects calls that did something
   * @param answered calls whose result somebody was given
   */
  brokenPromises(effects: readonly string[], answered: readonly string[]): string[] {
    const attempted = new Map(this.attempts.map(({ call, id }) => [call, id]));
    const ended = new Map(this.outcomes.map(({ attempt, status }) => [attempt, status]));
    const ids = new Set(attempted.values());
    return [
      ...effects
        .filter((call) => !attempted.has(call))
        .map((call) => `${call} did something without an attempt`),
      ...answered
        .filter((call) => ended.get(attempted.get(call) ?? '') !== 'completed')
        .map((call) => `${call} was answered without an outcome`),
      ...this.outcomes
        .filter(({ attempt }) => !ids.has(attempt ?? ''))
        .map(({ call }) => `${call} has an outcome without an attempt`),
    ];
  }
}
