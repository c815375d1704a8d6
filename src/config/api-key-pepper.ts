import { randomBytes } from 'node:crypto';
import type { Configuration } from './configuration.js';
import { createSecretFile, readSecretFile } from './secret-file.js';

const FILE = 'api-keys.pepper';

/**
 * What the hashes of API keys are made with: from the environment; in development it is generated on first start, and
 * kept beside the database, where nothing worth protecting is.
 */
export function apiKeyPepper({ apiKeyPepper, dataDirectory }: Configuration): string {
  if (apiKeyPepper !== undefined) return apiKeyPepper;
  const text =
    readSecretFile(dataDirectory, FILE) ??
    createSecretFile(dataDirectory, FILE, randomBytes(32).toString('base64url'));
  return text.trim();
}
