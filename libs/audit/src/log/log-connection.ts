import type { Store } from '@sallyport/store';

/** Runs one statement and gives its rows: over the pool, or over the one connection of the office. */
export interface LogConnection {
  query<Row>(statement: string, parameters: readonly unknown[]): Promise<Row[]>;
}

/** Over the pool, again and again while an SQLite file is busy. */
export function pooledConnection(store: Store): LogConnection {
  return {
    query: <Row>(statement: string, parameters: readonly unknown[]) =>
      store.run(({ queryRunner }) => {
        if (queryRunner === undefined) throw new Error('A store gives every statement a runner.');
        return queryRunner
          .query(statement, [...parameters], true)
          .then(({ records }): Row[] => records ?? []);
      }),
  };
}
