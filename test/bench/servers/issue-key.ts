import { randomBytes } from 'node:crypto';
import type { INestApplicationContext } from '@nestjs/common';
import { ApiKeys, type Administrator } from '@sallyport/identity';

/** As `openssl rand -base64 32` would print it. */
export function newPepper(): string {
  return randomBytes(32).toString('base64');
}

/** A key that reaches what the tokens of the bench reach, as `sallyport keys issue` would have made it. */
export async function issueKey(application: INestApplicationContext): Promise<string> {
  const keys = application.get(ApiKeys, { strict: false });
  const { key } = await keys.issue(OPERATOR, {
    name: 'bench',
    expiresInDays: 1,
    tenant: 'acme',
    scopes: ['bench:all'],
    roles: ['bench:admin'],
  });
  return key;
}

const OPERATOR: Administrator = {
  principal: {
    kind: 'process',
    issuer: 'sallyport:cli',
    subject: 'bench',
    actors: [],
    scopes: [],
    roles: [],
    credential: { kind: 'process' },
    claims: {},
  },
  via: 'cli',
  address: undefined,
  bounds: 'none',
};
