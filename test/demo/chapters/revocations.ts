import { administer } from '../administration.js';
import { fieldsOf, shown } from '../answer.js';
import type { Fields } from '../answer.js';
import { administered } from '../records.js';
import type { Actor, Stage } from '../stage.js';

const PRIYA = { kind: 'user', value: 'priya' };

/** Priya may do nothing any more, wherever she is signed in. */
export async function revoke(stage: Stage, by: Actor, when = ''): Promise<void> {
  await administer(stage, {
    call: `POST /revocations${when}`,
    by,
    path: '/revocations',
    body: { ...PRIYA, reason: 'laptop stolen' },
    summary: ({ revoked }) => targetOf(revoked),
    expected: 'HTTP 200: user priya of acme',
    record: () => administered('revocation.added', 'user priya'),
  });
}

export async function lift(stage: Stage, by: Actor): Promise<void> {
  await administer(stage, {
    call: 'POST /revocations/lift',
    by,
    path: '/revocations/lift',
    body: PRIYA,
    summary: ({ restored }) => targetOf(restored),
    expected: 'HTTP 200: user priya of acme',
    record: () => administered('revocation.lifted', 'user priya'),
  });
}

function targetOf(target: unknown): string {
  const { kind, value, tenant }: Fields = fieldsOf(target);
  return `${shown(kind)} ${shown(value)} of ${shown(tenant)}`;
}
