import { administer } from './administration.js';
import { shown } from './answer.js';
import type { Fields } from './answer.js';
import { administered } from './records.js';
import type { Actor, Stage } from './stage.js';
import type { Caller } from './tokens.js';

/** What an administrator consents to, to issue keys that read tickets: no key reaches further than its issuer. */
export const KEY_SCOPES = ['keys:manage', 'tickets:read'];

const ROLES = ['agent:read-only'];

/** One key of a series, and its holder. The holder stays the same when the key is rotated. */
export interface Key {
  readonly id: string;
  readonly holder: Caller;
}

export async function issueKey(
  stage: Stage,
  by: Actor,
  name: string,
  scopes: readonly string[] = ['tickets:read'],
): Promise<Key> {
  const answer = await administer(stage, {
    call: `POST /keys "${name}"`,
    by,
    path: '/keys',
    body: { name, expiresInDays: 1, scopes, roles: ROLES },
    summary: reachOf,
    expected: `HTTP 201: active, acme, ${scopes.join(' ')}, agent:read-only`,
    record: ({ id }) => administered('key.issued', shown(id)),
  });
  return keyIn(answer, name, scopes);
}

export async function rotateKey(stage: Stage, by: Actor, old: Key, overlapSeconds: number): Promise<Key> {
  const answer = await administer(stage, {
    call: `POST /keys/rotate, ${overlapSeconds} seconds of overlap`,
    by,
    path: '/keys/rotate',
    body: { id: old.id, overlapSeconds },
    summary: reachOf,
    expected: 'HTTP 201: active, acme, tickets:read, agent:read-only',
    record: () => administered('key.rotated', old.id),
  });
  return keyIn(answer, shown(old.holder.client), old.holder.scopes);
}

export async function revokeKey(stage: Stage, by: Actor, { id }: Key): Promise<void> {
  await administer(stage, {
    call: 'POST /keys/revoke',
    by,
    path: '/keys/revoke',
    body: { id },
    summary: ({ state, stillWorking }) => `${shown(state)}, still working: ${shown(stillWorking)}`,
    expected: 'HTTP 200: revoked, still working: []',
    record: () => administered('key.revoked', id),
  });
  // The calls that run with it are ended, in every process.
  await stage.expectRecord(administered('revocation.added', `key ${id}`), by);
}

function reachOf({ state, tenant, scopes, roles }: Fields): string {
  return [state, tenant, scopes, roles]
    .map((field) => (Array.isArray(field) ? field.join(' ') : shown(field)))
    .join(', ');
}

function keyIn({ id, series, key }: Fields, name: string, scopes: readonly string[]): Key {
  const holder: Caller = {
    token: shown(key),
    kind: 'api-key',
    issuer: 'sallyport:api-keys',
    subject: shown(series),
    tenant: 'acme',
    client: name,
    credential: shown(id),
    scopes,
  };
  return { id: shown(id), holder };
}
