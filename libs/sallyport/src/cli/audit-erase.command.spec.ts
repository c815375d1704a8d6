import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AuditErasure, AuditStore, TypeOrmAuditTrail } from '@sallyport/audit';

import { attempt, server } from '../../../../test/support/audit-events.js';
import { auditErase } from './audit-erase.command.js';

const [BEFORE, NOW] = ['the secret of before, long enough it is', 'the secret of now, long enough it is'];
const database = join(mkdtempSync(join(tmpdir(), 'sallyport-erase-')), 'audit.sqlite');
const ALICE = { tenant: 'acme', issuer: 'https://id.acme.example', user: 'alice', reason: 'asked for it' };

/** Somebody calls while the audit has these secrets, and then everything of them is erased. */
async function eraseAfterCall(secret: string, previousSecrets: readonly string[], json = false) {
  const settings = { migrations: 'run', timeoutMs: 5000, secret, previousSecrets } as const;
  const store = await AuditStore.open({ type: 'better-sqlite3', database }, settings);
  const trail = new TypeOrmAuditTrail(store, { timeoutMs: 5000, maxQueued: 100 });
  await trail.record(attempt());
  @Module({
    providers: [
      { provide: AuditStore, useValue: store },
      { provide: AuditErasure, useValue: new AuditErasure(store.keys, trail, server) },
    ],
  })
  class Application {}
  const context = await NestFactory.createApplicationContext(Application, { logger: false });
  const text = await auditErase(context, { ...ALICE, json });
  await trail.onApplicationShutdown();
  return text;
}

it('An erasure says when it could not look at keys that may be of the same person', async () => {
  const before = await AuditStore.open(
    { type: 'better-sqlite3', database },
    { migrations: 'run', timeoutMs: 5000, secret: BEFORE },
  );
  const trail = new TypeOrmAuditTrail(before, { timeoutMs: 5000, maxQueued: 100 });
  await trail.record(attempt());
  await trail.onApplicationShutdown();

  expect(await eraseAfterCall(NOW, [])).toMatch(
    /Erased: the key .*\nNOT LOOKED AT: \d+ keys .*previousSecrets/s,
  );
  expect(JSON.parse(await eraseAfterCall(NOW, [], true))).toMatchObject({ unopenable: expect.any(Number) });
  expect(await eraseAfterCall(NOW, [BEFORE])).toMatch(/^Erased: 2 keys [^\n]*$/);
});
