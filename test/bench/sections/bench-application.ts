import { NestFactory } from '@nestjs/core';
import type { INestApplicationContext } from '@nestjs/common';
import type { CallContext, Principal } from '@sallyport/mcp';
import { GRANT } from '../issuer.js';
import { benchModule } from '../servers/bench-module.js';
import type { SallyportSettings } from '../servers/settings.js';

/** The application under test without a port: whoever measures asks its parts. */
export function startApplication(settings: SallyportSettings): Promise<INestApplicationContext> {
  return NestFactory.createApplicationContext(benchModule(settings), { logger: ['error', 'fatal'] });
}

const PRINCIPALS = 16;

/** Who calls, by turns: as a token of the bench says, frozen as a verified one is. */
export const principals: readonly Principal[] = Array.from({ length: PRINCIPALS }, (_, index) =>
  Object.freeze({
    kind: 'user',
    issuer: 'http://127.0.0.1',
    subject: `user-${index}`,
    client: 'bench-agent',
    actors: Object.freeze([]),
    tenant: GRANT.tenant,
    scopes: Object.freeze([GRANT.scope]),
    roles: Object.freeze([...GRANT.roles]),
    credential: Object.freeze({ kind: 'jwt', id: crypto.randomUUID() }),
    claims: Object.freeze({}),
  }),
);

/** In place of the index of a turn: one of a list, again and again. */
export function turnOf<T>(all: readonly T[], turn: number): T {
  const found = all[turn % all.length];
  if (found === undefined) throw new Error('There is nothing to take turns.');
  return found;
}

export const SERVER = { name: 'bench', version: '1.0.0', resource: 'http://127.0.0.1/mcp' } as const;

/** How a request arrives. */
export function contextOf(principal: Principal): CallContext {
  return {
    id: crypto.randomUUID(),
    receivedAt: new Date(),
    server: SERVER,
    via: 'http',
    protocol: '2026-07-28',
    principal,
    address: '127.0.0.1',
    traceparent: undefined,
  };
}
