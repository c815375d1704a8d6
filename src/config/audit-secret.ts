import { randomBytes } from 'node:crypto';
import type { Configuration } from './configuration.js';
import { createSecretFile, readSecretFile } from './secret-file.js';

const FILE = 'audit.secret';

/**
 * What the keys of the people in the audit are wrapped with: from the environment; in development it is generated on first
 * start, and kept beside the database, where nothing worth protecting is.
 */
export function auditSecret({ auditSecret, dataDirectory }: Configuration): string {
  if (auditSecret !== undefined) return auditSecret;
  const text =
    readSecretFile(dataDirectory, FILE) ??
    createSecretFile(dataDirectory, FILE, randomBytes(32).toString('base64url'));
  return text.trim();
}
