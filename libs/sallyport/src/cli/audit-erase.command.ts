import type { INestApplicationContext } from '@nestjs/common';
import { AuditErasure } from '@sallyport/audit';
import { thisProcess } from '@sallyport/mcp';

/** Options of `audit erase`, as commander hands them over. */
export interface AuditEraseOptions {
  readonly tenant?: string;
  readonly issuer: string;
  readonly user: string;
  readonly reason: string;
  readonly json?: boolean;
}

/** Destroys the keys of one person, as the user of the operating system who runs the command. */
export async function auditErase(
  context: INestApplicationContext,
  { tenant, issuer, user, reason, json }: AuditEraseOptions,
): Promise<string> {
  const author = { actor: thisProcess('sallyport:cli'), via: 'cli', address: undefined, reason } as const;
  const person = { tenant, issuer, subject: user };
  const erased = await context.get(AuditErasure, { strict: false }).erase(person, author);
  if (json === true) return JSON.stringify({ erased }, null, 2);
  return (
    `Erased: ${erased.length === 1 ? 'the key' : `${erased.length} keys`} of this person (${erased.join(', ')}). ` +
    'The records stay, and nobody can read any more whom they name. Backups and exports of before are yours to delete.'
  );
}
