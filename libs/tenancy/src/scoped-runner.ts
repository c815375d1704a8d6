import type { QueryRunner } from 'typeorm';

/** A runner of TypeORM, and its own way to send a statement as it is. */
export interface ScopedRunner {
  readonly runner: QueryRunner;
  readonly send: (statement: string, parameters: unknown[], structured: boolean) => Promise<unknown>;
  /** Ends the connection, so that no pool hands it out again. */
  readonly discard: () => Promise<void>;
}

/** The runner with what it is, before anything of it is replaced. */
export function scopedRunner(runner: QueryRunner): ScopedRunner {
  const query = runner.query.bind(runner);
  return {
    runner,
    send: (statement, parameters, structured): Promise<unknown> =>
      structured ? query(statement, parameters, true) : query(statement, parameters),
    discard: async () => {
      const client: unknown = await runner.connect();
      if (
        typeof client === 'object' &&
        client !== null &&
        'end' in client &&
        typeof client.end === 'function'
      )
        client.end();
    },
  };
}
