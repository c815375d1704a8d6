import { userInfo } from 'node:os';
import type { INestApplicationContext } from '@nestjs/common';
import {
  LiveRevocations,
  RevocationService,
  type ActiveRevocation,
  type RevocationTarget,
} from '@sallyport/policy';
import { renderTable } from './table.js';

export interface RevocationChange {
  readonly action: 'revoke' | 'restore';
  readonly target: RevocationTarget;
  readonly reason?: string | undefined;
}

/** Revokes or restores, as the user of the operating system who runs the command. */
export async function changeRevocation(
  context: INestApplicationContext,
  change: RevocationChange,
): Promise<string> {
  const { action, target, reason } = change;
  const service = context.get(RevocationService, { strict: false });
  const author = {
    by: `cli:${userInfo().username}`,
    via: 'cli',
    address: undefined,
    actor: undefined,
    reason,
  } as const;
  await service[action](target, author);
  const done = action === 'revoke' ? 'Revoked' : 'Restored';
  const effect =
    action === 'revoke' ? 'It applies to the next call everywhere, and ends what runs within a second.' : '';
  return `${done}: ${describe(target)}. ${effect}`.trim();
}

/** What is revoked now. */
export async function listRevocations(context: INestApplicationContext, asJson: boolean): Promise<string> {
  const active = await context.get(LiveRevocations, { strict: false }).active();
  if (asJson) return JSON.stringify(active, null, 2);
  if (active.length === 0) return 'Nothing is revoked.';
  return renderTable(['since (UTC)', 'kind', 'what', 'issuer', 'by', 'reason'], active.map(row));
}

function row({ at, kind, value, issuer, by, reason }: ActiveRevocation): string[] {
  return [at.toISOString().slice(0, 19).replace('T', ' '), kind, value, issuer ?? 'any', by, reason ?? '-'];
}

function describe({ kind, value, issuer }: RevocationTarget): string {
  return issuer === undefined ? `${kind} ${value}` : `${kind} ${value} of ${issuer}`;
}
