import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';
import * as z from 'zod';
import { createSecretFile, readSecretFile } from '../config/secret-file.js';
import { DevelopmentProviderError } from './development-provider.options.js';

const KEYS_FILE = 'development-provider.keys.json';
const AGENT_FILE = 'research-agent.secret';

/** What the provider signs with. Generated on first start, and the same after every restart. */
export interface ProviderKeys {
  readonly jwks: { readonly keys: JWK[] };
  /** Signs the cookies of a sign-in. */
  readonly cookieKeys: string[];
}

const keysFile = z.object({
  jwks: z.object({
    keys: z.array(z.looseObject({ kty: z.string(), alg: z.string(), d: z.string() })).min(1),
  }),
  cookieKeys: z.array(z.string().min(32)).min(1),
});

/** Reads the keys, or generates them on first start. */
export async function providerKeys(directory: string): Promise<ProviderKeys> {
  const text =
    readSecretFile(directory, KEYS_FILE) ?? createSecretFile(directory, KEYS_FILE, await newKeys());
  const keys = keysFile.safeParse(parseJson(text));
  if (keys.success) return keys.data;
  throw new DevelopmentProviderError(
    `${join(directory, KEYS_FILE)} does not hold the keys of the development provider. Delete it to have new ones.`,
  );
}

/** Reads the secret of the research agent, or generates it on first start. */
export function researchAgentSecret(directory: string): string {
  const text =
    readSecretFile(directory, AGENT_FILE) ??
    createSecretFile(directory, AGENT_FILE, randomBytes(32).toString('base64url'));
  return text.trim();
}

/** Reads the secret of the research agent; `undefined` before the first start. */
export function readResearchAgentSecret(directory: string): string | undefined {
  return readSecretFile(directory, AGENT_FILE)?.trim();
}

async function newKeys(): Promise<string> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const key = { ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig' };
  return JSON.stringify(
    { jwks: { keys: [key] }, cookieKeys: [randomBytes(32).toString('base64url')] },
    null,
    2,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
