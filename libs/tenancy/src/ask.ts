import type { QueryRunner } from 'typeorm';

/** The rows of a question to a catalog, over this very connection. */
export async function ask<Row>(
  runner: QueryRunner,
  query: string,
  parameters: unknown[] = [],
): Promise<Row[]> {
  return runner.dataSource.query<Row[]>(query, parameters, runner);
}
