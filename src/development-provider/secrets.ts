import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';
import * as z from 'zod';
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
  const text = readFile(directory, KEYS_FILE) ?? createFile(directory, KEYS_FILE, await newKeys());
  const keys = keysFile.safeParse(parseJson(text));
  if (keys.success) return keys.data;
  throw new DevelopmentProviderError(
    `${join(directory, KEYS_FILE)} does not hold the keys of the development provider. Delete it to have new ones.`,
  );
}

/** Reads the secret of the research agent, or generates it on first start. */
export function researchAgentSecret(directory: string): string {
  const text =
    readFile(directory, AGENT_FILE) ??
    createFile(directory, AGENT_FILE, randomBytes(32).toString('base64url'));
  return text.trim();
}

/** Reads the secret of the research agent; `undefined` before the first start. */
export function readResearchAgentSecret(directory: string): string | undefined {
  return readFile(directory, AGENT_FILE)?.trim();
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

/**
 * Writes a file that only its owner reads, and answers what it holds afterwards. Two processes may start at the same
 * time: a link appears whole or not at all, the first one wins, and both go on with its content.
 */
function createFile(directory: string, name: string, content: string): string {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, name);
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  writeFileSync(draft, `${content}\n`, { mode: 0o600, flag: 'wx' });
  try {
    linkSync(draft, path);
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  } finally {
    rmSync(draft);
  }
  return readFileSync(path, 'utf8');
}

function readFile(directory: string, name: string): string | undefined {
  try {
    return readFileSync(join(directory, name), 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
