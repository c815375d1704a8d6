import { existsSync, readFileSync } from 'node:fs';
import type { INestApplicationContext } from '@nestjs/common';
import {
  Authenticator,
  Catalog,
  isPlainObject,
  parseStrictJson,
  type EntryKind,
  type Principal,
} from '@sallyport/mcp';
import { explanationText } from '@sallyport/policy';
import { explainCall } from '../in-process.js';
import { madeUpPrincipal } from '../made-up-principal.js';
import { CliError } from './cli-error.js';

/** Options of `policy explain`, as commander hands them over. */
export interface PolicyExplainOptions {
  /** A file of facts, a file with a token, a token, or `-` for standard input. Left out: a caller without a credential. */
  readonly as?: string;
  readonly entry: string;
  readonly args?: string;
  readonly kind?: EntryKind;
  readonly json?: boolean;
}

/** What to print, and whether the call would run. */
export interface Explained {
  readonly text: string;
  readonly permitted: boolean;
}

/**
 * Explains one call. Arguments are validated and rules asked as in a call; no handler runs, and nothing is recorded.
 *
 * @throws CliError, PrincipalFactsError
 */
export async function explainPolicy(
  context: INestApplicationContext,
  { as, entry, args, kind, json }: PolicyExplainOptions,
): Promise<Explained> {
  const target = targetOf(context, entry, kind);
  const given = args === undefined ? undefined : argumentsOf(args, target.kind);
  const principal = as === undefined ? undefined : await principalOf(context, as);
  const explanation = await explainCall(context, { as: principal, ...target, arguments: given });
  const text = json === true ? JSON.stringify(explanation, null, 2) : explanationText(explanation);
  return { text, permitted: explanation.effect === 'permit' };
}

interface Target {
  readonly kind: EntryKind;
  readonly target: string;
}

const METHODS = { tool: 'tools/call', resource: 'resources/read', prompt: 'prompts/get' } as const;
const KINDS: readonly EntryKind[] = ['tool', 'resource', 'prompt'];

/** What is meant by a name: what has it, whichever kind it is; a tool that does not exist when nothing has. */
function targetOf(context: INestApplicationContext, name: string, kind: EntryKind | undefined): Target {
  const catalog = context.get(Catalog, { strict: false });
  if (kind !== undefined) return { kind, target: name };
  const found = KINDS.filter((one) => catalog.find(METHODS[one], name) !== undefined);
  if (found.length > 1)
    throw new CliError(`${name} is a ${found.join(' and a ')}: say --kind ${found.join(' or --kind ')}.`);
  const resource = catalog.entries.find((entry) => entry.kind === 'resource' && entry.name === name);
  if (found.length === 0 && resource !== undefined)
    throw new CliError(
      `A resource is read by its URI: say --entry with one such as ${resource.uri ?? 'docs://welcome'}.`,
    );
  return { kind: found[0] ?? (URI.test(name) ? 'resource' : 'tool'), target: name };
}

const URI = /^[a-z][a-z0-9+.-]*:/i;

function argumentsOf(text: string, kind: EntryKind): Record<string, unknown> {
  if (kind === 'resource') throw new CliError('A resource has its arguments in its URI: leave --args out.');
  const value = jsonOf(text, '--args is no JSON: write --args \'{ "recordId": "…" }\'.');
  if (isPlainObject(value)) return value;
  throw new CliError('--args is no JSON object: write --args \'{ "recordId": "…" }\'.');
}

/** Facts are believed; a token is judged by the identity sources of the server, as if it came with a call. */
async function principalOf(context: INestApplicationContext, as: string): Promise<Principal> {
  const text = (as === '-' || existsSync(as) ? readFileSync(as === '-' ? 0 : as, 'utf8') : as).trim();
  if (!text.startsWith('{')) return holderOf(context, text);
  const facts = jsonOf(
    text,
    '--as holds no JSON: write { "tenant": "acme", "roles": ["agent:read-only"], "scopes": [] }.',
  );
  return madeUpPrincipal(isPlainObject(facts) ? facts : {});
}

async function holderOf(context: INestApplicationContext, token: string): Promise<Principal> {
  const authenticator = context.get(Authenticator, { strict: false });
  const headers = { authorization: `Bearer ${token}` };
  const answer = await authenticator.authenticate({ headers, via: 'http' });
  switch (answer.kind) {
    case 'principal':
      return answer.principal;
    case 'failed': {
      const source = answer.source === undefined ? '' : ` by the identity source "${answer.source}"`;
      throw new CliError(
        `The credential is refused${source} (${answer.reason}), so every call with it gets 401 invalid_token. If a file was meant, there is none of that name.`,
      );
    }
    case 'unavailable':
      throw new CliError(
        `The credential cannot be judged now: the identity source "${answer.source}" does not answer.`,
      );
    case 'anonymous':
      throw new CliError('No identity source takes this for a credential: name a file of facts, or a token.');
  }
}

function jsonOf(text: string, otherwise: string): unknown {
  try {
    return parseStrictJson(text, { maxDepth: 64, maxElements: 50_000 });
  } catch {
    throw new CliError(otherwise);
  }
}
