import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { HttpAdapterHost } from '@nestjs/core';
import { AuditReader, AuditStore, TypeOrmAuditTrail } from '@sallyport/audit';

import { server } from '../../../test/support/audit-events.js';
import { ServerLife } from './server-life.js';

it('A changed policy is noticed behind any number of starts of another server of the same name', async () => {
  const database = join(mkdtempSync(join(tmpdir(), 'sallyport-life-')), 'audit.sqlite');
  const settings = { migrations: 'run', timeoutMs: 5000 } as const;
  const store = await AuditStore.open({ type: 'better-sqlite3', database }, settings);
  const trail = new TypeOrmAuditTrail(store, { timeoutMs: 5000, maxQueued: 100 });
  const reader = new AuditReader(store);
  const start = (identity: typeof server, policy: string) =>
    new ServerLife({
      server: identity,
      trail,
      closing: { beforeStop: () => undefined },
      reader,
      followers: { start: () => undefined },
      policyVersion: () => policy,
      host: new HttpAdapterHost(),
    }).start('http');
  await start(server, 'first');
  const namesake = { ...server, resource: 'https://other.example/mcp' };
  for (let starts = 0; starts < 20; starts += 1) await start(namesake, 'of the other');
  await start(server, 'second');
  const changes = await reader.list({ action: 'policy.changed', limit: 10 });
  expect(changes).toMatchObject([
    { target: 'second', details: { before: 'first' }, resource: server.resource },
  ]);
  await store.close();
});
