import { existsSync, readFileSync } from 'node:fs';
import type { INestApplicationContext } from '@nestjs/common';
import {
  Authenticator,
  Catalog,
  isPlainObject,
  parseStrictJson,
  StrictJsonError,
  type EntryKind,
  type Principal,
} from '@sallyport/mcp';
import { explanationText, type Explanation } from '@sallyport/policy';
import { errorCodeOf } from '@sallyport/store';
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
  const decided = await explainCall(context, { as: principal, ...target, arguments: given });
  const explanation = args === undefined ? withMissingArguments(decided) : decided;
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
  if (name === '')
    throw new CliError('--entry is empty: say the name of a tool or prompt, or the URI of a resource.');
  const catalog = context.get(Catalog, { strict: false });
  const kinds = kind === undefined ? KINDS : [kind];
  const found = kinds.filter((one) => catalog.find(METHODS[one], name) !== undefined);
  if (found.length > 1)
    throw new CliError(`${name} is a ${found.join(' and a ')}: say --kind ${found.join(' or --kind ')}.`);
  if (found.length === 0 && kinds.includes('resource')) refuseResourceWithoutUri(catalog, name);
  return { kind: found[0] ?? kind ?? (URI.test(name) ? 'resource' : 'tool'), target: name };
}

/** A name or a template reads nothing, and would look as if there were no such resource. */
function refuseResourceWithoutUri({ entries }: Catalog, name: string): void {
  const resource = entries.find((one) => one.kind === 'resource' && (one.name === name || one.uri === name));
  if (resource?.uri === undefined) return;
  const filled = resource.uri.includes('{') ? ', with values for what stands in {braces}' : '';
  throw new CliError(`A resource is read by its URI: say --entry '${resource.uri}'${filled}.`);
}

/** What a call without arguments is refused for may be that nobody said them here. */
function withMissingArguments(explanation: Explanation): Explanation {
  if (explanation.reason !== 'invalid_arguments') return explanation;
  return { ...explanation, helps: [...explanation.helps, `None were given: write ${EXAMPLE_ARGS}.`] };
}

const EXAMPLE_ARGS = `--args '{ "recordId": "…" }'`;
const EXAMPLE_FACTS = '{ "tenant": "acme", "roles": ["agent:read-only"], "scopes": ["crm:read"] }';

const URI = /^[a-z][a-z0-9+.-]*:/i;

function argumentsOf(text: string, kind: EntryKind): Record<string, unknown> {
  if (kind === 'resource') throw new CliError('A resource has its arguments in its URI: leave --args out.');
  const value = jsonOf(text, '--args', EXAMPLE_ARGS);
  if (isPlainObject(value)) return value;
  throw new CliError(`--args is no JSON object: write ${EXAMPLE_ARGS}.`);
}

/** Facts are believed; a token is judged by the identity sources of the server, as if it came with a call. */
async function principalOf(context: INestApplicationContext, as: string): Promise<Principal> {
  const isFile = as === '-' || existsSync(as);
  if (!isFile && PATH.test(as))
    throw new CliError(`--as names no file that is here: name one with facts such as ${EXAMPLE_FACTS}.`);
  const text = (isFile ? contentOf(as) : as).trim();
  if (text === '') throw new CliError(`--as is empty: give facts such as ${EXAMPLE_FACTS}, or a token.`);
  if (!JSON_BEGINS.test(text)) return holderOf(context, text, isFile);
  const facts = jsonOf(text, '--as', EXAMPLE_FACTS);
  if (isPlainObject(facts)) return madeUpPrincipal(facts);
  throw new CliError(`--as is no JSON object: write ${EXAMPLE_FACTS}.`);
}

/** What is no file is perhaps a credential: it is not quoted. */
const PATH = /^(?:\.{0,2}|~)\/|\.json$/i;
/** No token begins like this (RFC 6750 §2.1). */
const JSON_BEGINS = /^[{["]/;

function contentOf(as: string): string {
  try {
    return readFileSync(as === '-' ? 0 : as, 'utf8');
  } catch (error) {
    const code = errorCodeOf(error) ?? 'no code';
    throw new CliError(
      `--as cannot be read (${code}): name a file of facts or with a token, or pipe it in for -.`,
    );
  }
}

async function holderOf(
  context: INestApplicationContext,
  token: string,
  isFile: boolean,
): Promise<Principal> {
  const authenticator = context.get(Authenticator, { strict: false });
  const headers = { authorization: `Bearer ${token}` };
  const answer = await authenticator.authenticate({ headers, via: 'http' });
  switch (answer.kind) {
    case 'principal':
      return answer.principal;
    case 'failed': {
      const unmet = isFile ? '' : ' If a file was meant, there is none of that name.';
      const source = answer.source === undefined ? '' : ` by the identity source "${answer.source}"`;
      throw new CliError(
        `The credential is refused${source} (${answer.reason}), so every call with it gets 401 invalid_token: get a new one, or give facts such as ${EXAMPLE_FACTS}.${unmet}`,
      );
    }
    case 'unavailable':
      throw new CliError(
        `The credential cannot be judged now: the identity source "${answer.source}" does not answer. Try again, or give facts such as ${EXAMPLE_FACTS}.`,
      );
    case 'anonymous':
      throw new CliError(
        `No identity source takes this for a credential: give facts such as ${EXAMPLE_FACTS}, or a token.`,
      );
  }
}

function jsonOf(text: string, what: string, example: string): unknown {
  try {
    return parseStrictJson(text, { maxDepth: 64, maxElements: 50_000 });
  } catch (error) {
    if (!(error instanceof StrictJsonError)) throw error;
    throw new CliError(`${what} is no JSON: write ${example}. ${error.message}`);
  }
}
