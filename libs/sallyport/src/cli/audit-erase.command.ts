import type { INestApplicationContext } from '@nestjs/common';
import { AuditErasure, AuditStore, openEraser } from '@sallyport/audit';
import { thisProcess } from '@sallyport/mcp';

/** Options of `audit erase`, as commander hands them over. */
export interface AuditEraseOptions {
  readonly tenant?: string;
  readonly issuer: string;
  readonly user: string;
  readonly reason: string;
  readonly json?: boolean;
  /** Of the same PostgreSQL, as a role that may erase. */
  readonly database?: string;
}

/** Destroys the keys of one person, as the user of the operating system who runs the command. */
export async function auditErase(
  context: INestApplicationContext,
  { tenant, issuer, user, reason, json, database }: AuditEraseOptions,
): Promise<string> {
  const audit = context.get(AuditStore, { strict: false });
  const author = { actor: thisProcess('sallyport:cli'), via: 'cli', address: undefined, reason } as const;
  const person = { tenant, issuer, subject: user };
  const erasure = context.get(AuditErasure, { strict: false });
  const eraser = database === undefined ? undefined : await openEraser(audit, database);
  const erased = await erasure.erase(person, author, eraser).finally(() => eraser?.close());
  const unopenable = await audit.keys.countUnopenable();
  if (json === true) return JSON.stringify({ erased, unopenable }, null, 2);
  return (
    `Erased: ${erased.length === 1 ? 'the key' : `${erased.length} keys`} of this person (${erased.join(', ')}). ` +
    'The records stay, and nobody can read any more whom they name. Backups and exports of before are yours to delete.' +
    unopenableText(unopenable)
  );
}

/** Whose they are can be told by the secret that they were wrapped with, and by nothing else. */
function unopenableText(count: number): string {
  if (count === 0) return '';
  return (
    `\nNOT LOOKED AT: ${count} keys that were wrapped with a secret this application was not given. One of them may be theirs: ` +
    'write audit: { previousSecrets: [the secret of before] } and erase again, or destroy that secret.'
  );
}
