import { Logger } from '@nestjs/common';
import { Authenticator, type Authentication, type CredentialRequest } from '@sallyport/mcp';
import type { Store } from '@sallyport/store';
import type { IdentityOptions } from './identity.options.js';
import { identityProblems } from './identity.problems.js';
import type { IdentitySource, PassportStrategy, SourceWiring } from './identity.source.js';
import { isStrategy, registeredStrategy, runStrategy } from './passport/run-strategy.js';
import { pickSource } from './pick-source.js';
import { parsePrincipal } from './principal.schema.js';
import { IdentityConfigurationError, type RefusalCode } from './refusals.js';
import { withinTime } from './within-time.js';

const DEFAULT_TIMEOUT_MS = 5_000;

/** A source whose strategy is made. */
interface WiredSource extends IdentitySource {
  findStrategy(): PassportStrategy | undefined;
}

/** Asks the one source that a credential is meant for, and believes nobody else. */
export class IdentityAuthenticator extends Authenticator {
  private readonly logger = new Logger('Identity');
  private readonly sources: readonly WiredSource[];

  /**
   * `store` holds the tables of the sources, where one has any.
   *
   * @throws {@link IdentityConfigurationError} with everything that is wrong, and what to write instead
   */
  constructor({ sources, resource, clock = Date.now }: IdentityOptions, store?: Store) {
    super();
    const problems = identityProblems(sources, { resource, production: false });
    if (problems.length > 0) throw new IdentityConfigurationError(problems);
    this.sources = sources.map((source) => wire(source, { resource, clock, store }));
  }

  /** Never throws: what goes wrong authenticates nobody. */
  async authenticate(request: CredentialRequest): Promise<Authentication> {
    const choice = pickSource(this.sources, request);
    if (choice.kind !== 'source') return choice;
    const { source } = choice;
    const limit = source.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const answer = this.ask(source, request).catch((error: unknown) => this.failedBy(source, error));
    return withinTime(limit, answer, () => failed(source, 'timeout'));
  }

  private async ask(source: WiredSource, request: CredentialRequest): Promise<Authentication> {
    const strategy = source.findStrategy();
    if (strategy === undefined) {
      this.logger.error(
        `Source '${source.name}' has no strategy: list the provider that registers it, or call passport.use().`,
      );
      return failed(source, 'error');
    }
    const answer = await runStrategy(strategy, request);
    if (answer.kind === 'unavailable') return { kind: 'unavailable', source: source.name };
    if (answer.kind === 'user') return this.principalOf(source, answer.user);
    return 'error' in answer ? this.failedBy(source, answer.error) : failed(source, answer.code);
  }

  private async principalOf(source: WiredSource, user: object): Promise<Authentication> {
    const parsed = parsePrincipal(await source.toPrincipal(user), source.name);
    if ('problem' in parsed) {
      this.logger.warn(`Source '${source.name}' did not map to a principal: ${parsed.problem}.`);
      return failed(source, 'claims');
    }
    if (!this.speaksFor(source, parsed.principal.issuer)) return failed(source, 'issuer');
    return { kind: 'principal', principal: parsed.principal };
  }

  /** A source with an issuer vouches for that one alone; one without, for none that has a source of its own. */
  private speaksFor(source: WiredSource, issuer: string): boolean {
    if (source.issuer !== undefined) return source.issuer === issuer;
    return this.sources.every((other) => other.issuer !== issuer);
  }

  /** Logs the class of the error alone: its message is somebody else's, and may quote the credential. */
  private failedBy(source: WiredSource, error: unknown): Authentication {
    const kind = error instanceof Error ? error.constructor?.name : typeof error;
    this.logger.warn(`Source '${source.name}' failed with ${kind}; the caller was not authenticated.`);
    return failed(source, 'error');
  }
}

function wire(source: IdentitySource, wiring: SourceWiring): WiredSource {
  const { strategy } = source;
  // Named strategies are providers that may be registered after this one was made.
  if (typeof strategy === 'string') return derive(source, () => registeredStrategy(strategy));
  const made = typeof strategy === 'function' ? strategy(wiring) : strategy;
  if (!isStrategy(made))
    throw new TypeError(`The strategy of source '${source.name}' is not a Passport strategy.`);
  return derive(source, () => made);
}

/** Keeps the methods of a source that is a class instance. */
function derive(source: IdentitySource, findStrategy: () => PassportStrategy | undefined): WiredSource {
  return {
    name: source.name,
    issuer: source.issuer,
    authorizationServer: source.authorizationServer,
    accepts: (request) => source.accepts(request),
    strategy: source.strategy,
    toPrincipal: (user) => source.toPrincipal(user),
    timeoutMs: source.timeoutMs,
    findStrategy,
  };
}

function failed(source: IdentitySource, reason: RefusalCode): Authentication {
  return { kind: 'failed', reason, source: source.name };
}
