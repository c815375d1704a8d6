import type { Problem } from '@sallyport/mcp';
import type { DataSource, QueryRunner } from 'typeorm';

import { connectAs } from '../across.js';
import { ask } from '../ask.js';
import type { ScopedSource } from '../scoped-source.js';
import { quotedPath, type OpaqueView } from '../sql/tenant-table.js';
import { SHOWING } from './catalog.queries.js';
import { rowLevelSecurityProblems } from './row-level-security.problems.js';
import { SESSION, type SessionRow } from './sessions.js';

export interface CheckedConnections {
  readonly problems: readonly Problem[];
  /** What shows rows of tenants and cannot be narrowed, by name. */
  readonly opaque: ReadonlyMap<string, OpaqueView>;
}

interface Strictness {
  readonly dangerouslyAllowOwnerRole?: boolean;
}

/** Looks at the connection of a `DataSource`, and at each of its replicas, which may each have another role. */
export async function checkConnections(
  dataSource: DataSource,
  source: ScopedSource,
  strictness: Strictness,
): Promise<CheckedConnections> {
  const runner = source.plainRunner();
  try {
    const problems = await connectionProblems(runner, source, strictness);
    for (const replica of replicasOf(dataSource)) {
      const connection = await connectAs(dataSource, replica);
      try {
        problems.push(...(await connectionProblems(connection.createQueryRunner(), source, strictness)));
      } finally {
        await connection.destroy();
      }
    }
    return { problems, opaque: await showing(runner, source) };
  } finally {
    await runner.release();
  }
}

function replicasOf({ options }: DataSource): readonly object[] {
  return options.type === 'postgres' ? (options.replication?.slaves ?? []) : [];
}

async function connectionProblems(
  runner: QueryRunner,
  { owned, sessions }: ScopedSource,
  strictness: Strictness,
): Promise<Problem[]> {
  const problems = await rowLevelSecurityProblems(runner, owned.all, strictness);
  const [session] = await ask<SessionRow>(runner, SESSION);
  if (session?.fit === true) sessions.add(session.session);
  else
    problems.push({
      code: 'row_security_session',
      message:
        'A session of this role begins with settings that decide whose rows it sees, or how its statements are read: ' +
        'write ALTER ROLE app RESET sallyport.tenant, row_security and standard_conforming_strings, each of them, and of the database.',
    });
  return problems;
}

async function showing(runner: QueryRunner, { owned }: ScopedSource): Promise<Map<string, OpaqueView>> {
  const paths = owned.all.map(({ path }) => quotedPath(path));
  const found = await ask<{ name: string }>(runner, SHOWING, [paths]);
  return new Map(found.map(({ name }) => [name.toLowerCase(), { kind: 'opaque', path: name }]));
}
