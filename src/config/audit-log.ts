import { join } from 'node:path';
import { checkpointFile, generateNoteKey, type AuditLogOptions } from 'sallyport';
import type { Configuration } from './configuration.js';
import { createSecretFile, readSecretFile } from './secret-file.js';

const KEY_FILE = 'audit-log.key';
const NAME = 'localhost/sallyport-office';

/**
 * Signs the audit: with a key from the environment; in development one is generated on first start, and kept beside the
 * database. What was signed is remembered in `DATA_DIR`, unless the database itself is forgotten when the process ends.
 */
export function auditLog(config: Configuration): AuditLogOptions {
  const key = signerKey(config);
  const { dataDirectory } = config;
  if (isInMemory(config)) return { key, dangerouslyForgetful: true };
  return {
    key,
    state: { file: join(dataDirectory, 'audit-log.state') },
    publish: [checkpointFile(join(dataDirectory, 'audit-log.checkpoint'))],
  };
}

/** Whether everything is forgotten when the process ends. */
export function isInMemory({ database }: Configuration): boolean {
  return database.kind === 'sqlite' && database.path === ':memory:';
}

function signerKey({ auditLogKey, dataDirectory }: Configuration): string {
  if (auditLogKey !== undefined) return auditLogKey;
  const text =
    readSecretFile(dataDirectory, KEY_FILE) ??
    createSecretFile(dataDirectory, KEY_FILE, generateNoteKey(NAME).signerKey);
  return text.trim();
}
