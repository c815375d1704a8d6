import type { AuditProtection } from '../audit.options.js';
import type { PersonKeys } from './person-keys.js';

/** What makes the names of people easier to read than they should be, or impossible, in sentences. */
export async function keyWarnings(
  keys: PersonKeys,
  { secret }: Pick<AuditProtection, 'secret'>,
): Promise<string[]> {
  const unopenable = await keys.countUnopenable();
  return [
    ...(secret === undefined
      ? [
          'The audit has no secret, so whoever has its database can read whom the records name: ' +
            'write audit: { secret: process.env.AUDIT_SECRET } with the output of openssl rand -base64 32.',
        ]
      : []),
    ...(unopenable === 0
      ? []
      : [
          `${unopenable} keys of the audit were wrapped with a secret that this server was not given, so their records are ` +
            'shown as unreadable: write audit: { previousSecrets: [the secret of before] }.',
        ]),
  ];
}
