import { userInfo } from 'node:os';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { apiKeys } from '@sallyport/identity';
import { AuditReader } from '@sallyport/audit';
import { RESOURCE } from '../../../../test/support/messages.js';
import { applicationModule } from '../../../../test/support/server.js';
import { issueKey, listKeys, parseDuration, revokeKey, rotateKey } from './keys.command.js';

const pepper = 'a-pepper-for-tests-that-is-long-enough';
const opened: INestApplicationContext[] = [];

async function open(): Promise<INestApplicationContext> {
  const module = applicationModule({ sallyport: { resource: RESOURCE, identity: [apiKeys({ pepper })] } });
  const context = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
  opened.push(context);
  return context;
}

afterEach(async () => {
  for (const context of opened.splice(0)) await context.close();
});

const options = {
  name: 'nightly export',
  scope: ['crm:read'],
  role: ['agent:read-only'],
  tenant: 'acme',
  days: 30,
};

function parsed(text: string): Record<string, string> {
  return JSON.parse(text) as Record<string, string>;
}

describe('sallyport keys', () => {
  it('shows a new key once, and lists it without', async () => {
    const context = await open();
    const issued = await issueKey(context, options);
    const [key = ''] = issued.split('\n');
    expect(key).toMatch(/^sp_live_/);
    const listed = await listKeys(context, {});
    expect(listed).toContain('nightly');
    expect(listed).toContain(key.split('_')[2]);
    expect(listed + (await listKeys(context, { all: true, json: true }))).not.toContain(key.split('_')[3]);
  });

  it('rotates, revokes, and says what still works', async () => {
    const context = await open();
    const first = parsed(await issueKey(context, { ...options, json: true }));
    const second = parsed(await rotateKey(context, first['id'] ?? '', { overlap: 3600, json: true }));
    expect(second['key']).not.toBe(first['key']);
    expect(await revokeKey(context, second['id'] ?? '', {})).toContain(`still work: ${first['id']}`);
    expect(await revokeKey(context, first['id'] ?? '', {})).not.toContain('still work');
    expect(await listKeys(context, {})).toBe('There are no keys. 2 more have ended: say --all to see them.');
    expect(await listKeys(context, { all: true })).toContain('revoked');
  });

  it('records the user of the machine with every change', async () => {
    const context = await open();
    const { id } = parsed(await issueKey(context, { ...options, json: true }));
    await revokeKey(context, id ?? '', {});
    const records = await context.get(AuditReader, { strict: false }).list({ limit: 10 });
    const by = { via: 'cli', issuer: 'sallyport:cli', subject: userInfo().username, target: id };
    expect(records).toMatchObject([
      { ...by, action: 'key.issued' },
      { ...by, action: 'key.revoked' },
      { ...by, action: 'revocation.added', target: `key ${id}` },
    ]);
  });

  it.each<[string, (context: INestApplicationContext) => Promise<string>]>([
    ['a key that lives too long', (context) => issueKey(context, { ...options, days: 3000 })],
    ['a key that is not there', (context) => revokeKey(context, 'A'.repeat(16), {})],
    ['what is no id', (context) => rotateKey(context, '1', {})],
  ])('refuses %s with a sentence', async (_what, command) => {
    await expect(command(await open())).rejects.toMatchObject({ name: 'ApiKeyRefused' });
  });

  it.each([
    ['90s', 90],
    ['30m', 1800],
    ['24h', 86_400],
    ['7d', 604_800],
    ['0s', 0],
  ])('reads %s as %d seconds', (text, seconds) => expect(parseDuration(text)).toBe(seconds));

  it.each(['', '24', 'h', '-1h', '1.5h', '1w', ' 1h'])('reads %j as no duration', (text) => {
    expect(() => parseDuration(text)).toThrow('Write a duration');
  });
});
