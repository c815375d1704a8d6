import {
  ClientCredentialsProvider,
  discoverOAuthServerInfo,
  exchangeAuthorization,
  fetchToken,
  registerClient,
  startAuthorization,
} from '@modelcontextprotocol/client';
import type { OAuthServerInfo, OAuthTokens } from '@modelcontextprotocol/client';
import { Command, CommanderError } from 'commander';
import { headlessSignIn } from './headless-sign-in.js';
import { findPerson, PEOPLE, RESEARCH_AGENT } from './people.js';
import { readResearchAgentSecret } from './secrets.js';

export interface TokenRequest {
  /** A person of `people.ts`, or `research-agent`. */
  readonly as: string;
  /** Scopes, separated by spaces. Default: what the resource metadata suggests. */
  readonly scope?: string;
  /** Where the server is reached. Its MCP endpoint is `/mcp` there. */
  readonly url: string;
  /** The audience to ask for. Default: what the resource metadata says. */
  readonly resource?: string;
  /** Where the server keeps the secret of the research agent, unless `agentSecret` is given. */
  readonly dataDirectory: string;
  readonly agentSecret?: string;
}

/** The sentence for somebody who did not get a token. */
export class TokenError extends Error {
  override readonly name = 'TokenError';
}

/** Nothing listens here: the code arrives in a header that the headless sign-in reads. */
const REDIRECT_URL = 'http://127.0.0.1/callback';

/**
 * Gets an access token the way an MCP client does, from nothing but the address of the server: resource metadata,
 * provider metadata, registration, sign-in, consent, code, token. The research agent shows its secret instead.
 *
 * @throws {@link TokenError}
 * @example
 * ```ts
 * const { access_token } = await requestToken({ as: 'priya', scope: 'email:read', url, dataDirectory: 'data' });
 * ```
 */
export async function requestToken(request: TokenRequest): Promise<OAuthTokens> {
  const isAgent = request.as === RESEARCH_AGENT.id;
  if (!isAgent && findPerson(request.as) === undefined) throw unknownCaller(request.as);
  const server = await discover(request.url);
  const { resourceMetadata } = server;
  const scope =
    request.scope === undefined ? (resourceMetadata.scopes_supported ?? []) : words(request.scope);
  checkScopes(scope, server);
  const order: Order = {
    ...request,
    server,
    scope: scope.join(' '),
    resource: request.resource ?? resourceMetadata.resource,
  };
  const tokens = await explainRefusal(() => (isAgent ? agentToken(order) : personToken(order)));
  checkGranted(scope, tokens);
  return tokens;
}

type Server = OAuthServerInfo &
  Required<Pick<OAuthServerInfo, 'authorizationServerMetadata' | 'resourceMetadata'>>;

interface Order extends TokenRequest {
  readonly server: Server;
  readonly scope: string;
  readonly resource: string;
}

async function discover(url: string): Promise<Server> {
  if (!URL.canParse(url)) throw new TokenError(`"${url}" is no address. Write it as http://127.0.0.1:3000.`);
  const info = await discoverOAuthServerInfo(new URL('/mcp', url)).catch((cause: unknown) => {
    throw discoveryError(url, cause);
  });
  const { authorizationServerMetadata, resourceMetadata } = info;
  if (resourceMetadata === undefined) {
    throw new TokenError(`${url} answers, but publishes no metadata for an MCP server at /mcp (RFC 9728).`);
  }
  if (authorizationServerMetadata === undefined) {
    throw new TokenError(
      `The authorization server ${info.authorizationServerUrl} publishes no metadata (RFC 8414).`,
    );
  }
  return { ...info, authorizationServerMetadata, resourceMetadata };
}

function discoveryError(url: string, cause: unknown): TokenError {
  if (isNetworkError(cause)) {
    return new TokenError(
      `No server answers at ${url}. Start it with "npm start", or name another with --url.`,
      { cause },
    );
  }
  return new TokenError(`${url} cannot be discovered: ${messageOf(cause)}`, { cause });
}

/** `fetch` throws a `TypeError` when it gets no answer. */
function isNetworkError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'TypeError';
}

async function personToken({ as, server, scope, resource }: Order): Promise<OAuthTokens> {
  const { authorizationServerUrl, authorizationServerMetadata: metadata } = server;
  const clientInformation = await registerClient(authorizationServerUrl, {
    metadata,
    clientMetadata: {
      client_name: 'Token command',
      redirect_uris: [REDIRECT_URL],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
    },
  });
  const client = { metadata, clientInformation, resource };
  const { authorizationUrl, codeVerifier } = await startAuthorization(authorizationServerUrl, {
    ...client,
    redirectUrl: REDIRECT_URL,
    ...(scope === '' ? {} : { scope }),
  });
  const { searchParams: answer } = await headlessSignIn(authorizationUrl, { as });
  const authorizationCode = answer.get('code');
  if (authorizationCode === null) throw new TokenError(refusal(answer));
  const iss = answer.get('iss');
  return exchangeAuthorization(authorizationServerUrl, {
    ...client,
    authorizationCode,
    codeVerifier,
    redirectUri: REDIRECT_URL,
    ...(iss === null ? {} : { iss }),
  });
}

function refusal(answer: URLSearchParams): string {
  return `The provider refused: ${answer.get('error_description') ?? answer.get('error') ?? 'it gave no reason'}.`;
}

async function agentToken({
  agentSecret,
  dataDirectory,
  scope,
  server,
  resource,
  url,
}: Order): Promise<OAuthTokens> {
  const { authorizationServerUrl, authorizationServerMetadata: metadata } = server;
  // The secret goes to the provider of the server it was made by, wherever the metadata points.
  if (new URL(metadata.token_endpoint).origin !== new URL(url).origin) {
    throw new TokenError(
      `${RESEARCH_AGENT.id} is known to the development provider only, not to ${metadata.issuer}.`,
    );
  }
  const clientSecret = agentSecret ?? readResearchAgentSecret(dataDirectory);
  if (clientSecret === undefined) {
    throw new TokenError(
      `The secret of ${RESEARCH_AGENT.id} is not in "${dataDirectory}". The server writes it there when it first ` +
        'starts; set DATA_DIR as for the server, or RESEARCH_AGENT_SECRET.',
    );
  }
  const agent = new ClientCredentialsProvider({
    clientId: RESEARCH_AGENT.id,
    clientSecret,
    expectedIssuer: metadata.issuer,
  });
  return fetchToken(agent, authorizationServerUrl, { metadata, resource, scope });
}

async function explainRefusal(work: () => Promise<OAuthTokens>): Promise<OAuthTokens> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof TokenError) throw cause;
    throw new TokenError(`The provider refused: ${messageOf(cause)}`, { cause });
  }
}

function unknownCaller(as: string): TokenError {
  const known = [...PEOPLE, RESEARCH_AGENT].map(
    ({ id, tenant, roles }) => `  ${id} (${tenant}, ${roles.join(', ')})`,
  );
  return new TokenError(`Nobody is called "${as}" here. There are:\n${known.join('\n')}`);
}

function checkScopes(scopes: readonly string[], { authorizationServerMetadata: metadata }: Server): void {
  const supported = metadata.scopes_supported;
  if (supported === undefined) return;
  const unknown = scopes.filter((name) => !supported.includes(name));
  if (unknown.length === 0) return;
  throw new TokenError(`There is no scope ${quote(unknown)}. There are ${supported.join(', ')}.`);
}

/** What is asked of the provider itself, and no scope of an access token for the resource. */
const NOT_FOR_THE_RESOURCE = ['openid', 'offline_access'];

/** RFC 6749 §5.1: `scope` in the answer says when it is not what was asked for. */
function checkGranted(scopes: readonly string[], { scope }: OAuthTokens): void {
  if (scope === undefined) return;
  const granted = [...words(scope), ...NOT_FOR_THE_RESOURCE];
  const missing = scopes.filter((name) => !granted.includes(name));
  if (missing.length > 0) {
    throw new TokenError(`The provider did not grant ${quote(missing)}.`);
  }
}

function words(scope: string): string[] {
  return scope.split(/[\s,]+/).filter((name) => name !== '');
}

function quote(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(' or ');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Where the command writes, and what it knows from outside. */
export interface CommandSurroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
}

/**
 * `npm run -s token -- --as priya --scope "email:read tasks:write"`. Prints the token and nothing else, so that it can
 * be put into a variable.
 *
 * @returns the exit code
 */
export async function runTokenCommand(
  parameters: readonly string[],
  around: CommandSurroundings,
): Promise<number> {
  const command = tokenCommand(around);
  try {
    command.parse([...parameters], { from: 'user' });
    const { json, ...options } = command.opts<CommandOptions>();
    const tokens = await requestToken({ ...options, ...fromEnvironment(around.environment) });
    around.out(`${json ? JSON.stringify(tokens, null, 2) : tokens.access_token}\n`);
    return 0;
  } catch (error) {
    // Commander has said what is wrong with the parameters, or shown the help.
    if (error instanceof CommanderError) return error.exitCode;
    if (!(error instanceof TokenError)) throw error;
    around.error(`${error.message}\n`);
    return 1;
  }
}

type CommandOptions = Pick<TokenRequest, 'as' | 'scope' | 'url' | 'resource'> & { readonly json?: boolean };

function tokenCommand({ environment, error, out }: CommandSurroundings): Command {
  const url = environment['PUBLIC_URL'] ?? 'http://127.0.0.1:3000';
  return new Command('token')
    .description('Prints an access token from the development provider.')
    .requiredOption('--as <who>', [...PEOPLE, RESEARCH_AGENT].map(({ id }) => id).join(', '))
    .option('--scope <scopes>', 'scopes, separated by spaces (default: what the server suggests)')
    .option('--url <url>', 'where the server is reached', url)
    .option('--resource <url>', 'the audience of the token (default: the MCP server)')
    .option('--json', 'the whole answer of the token endpoint')
    .configureOutput({ writeOut: out, writeErr: error })
    .exitOverride();
}

function fromEnvironment(environment: CommandSurroundings['environment']) {
  const agentSecret = environment['RESEARCH_AGENT_SECRET'];
  return {
    dataDirectory: environment['DATA_DIR'] ?? 'data',
    ...(agentSecret === undefined ? {} : { agentSecret }),
  };
}
