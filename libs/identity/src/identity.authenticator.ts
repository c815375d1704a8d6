import { Logger } from '@nestjs/common';
import { Authenticator, type Authentication, type CredentialRequest, type Principal } from '@sallyport/mcp';
import type { Store } from '@sallyport/store';
import { readAuthorization } from './bearer.js';
import { GoodCredentials } from './good-credentials.js';
import type { IdentityOptions } from './identity.options.js';
import { identityProblems } from './identity.problems.js';
import type { IdentitySource, PassportStrategy, SourceWiring } from './identity.source.js';
import { unverifiedIssuer } from './jwt/compact-jwt.js';
import { isStrategy, registeredStrategy, runStrategy } from './passport/run-strategy.js';
import { pickSource } from './pick-source.js';
import { parsePrincipal } from './principal.schema.js';
import { IdentityConfigurationError, type RefusalCode } from './refusals.js';
import { withinTime } from './within-time.js';

const DEFAULT_TIMEOUT_MS = 5_000;

/** A source whose strategy is made. */
interface WiredSource extends IdentitySource {
  findStrategy(): PassportStrategy | undefined;
  isStillGood(user: unknown, now: number): boolean;
  /** Whether it looks at the expiry itself, with a tolerance of its own. */
  readonly judgesExpiry: boolean;
}

/** Asks the one source that a credential is meant for, and believes nobody else. */
export class IdentityAuthenticator extends Authenticator {
  private readonly logger = new Logger('Identity');
  private readonly sources: readonly WiredSource[];
  private readonly good: GoodCredentials;
  private readonly clock: () => number;

  /**
   * `store` holds the tables of the sources, where one has any.
   *
   * @throws {@link IdentityConfigurationError} with everything that is wrong, and what to write instead
   */
  constructor({ sources, resource, tokenCache, clock = Date.now }: IdentityOptions, store?: Store) {
    super();
    const problems = identityProblems(sources, { resource, production: false });
    if (problems.length > 0) throw new IdentityConfigurationError(problems);
    this.sources = sources.map((source) => wire(source, { resource, clock, store }));
    this.good = new GoodCredentials(tokenCache);
    this.clock = clock;
  }

  /** Never throws: what goes wrong authenticates nobody. */
  async authenticate(request: CredentialRequest): Promise<Authentication> {
    const token = bearerToken(request);
    if (token === undefined) return this.judge(request);
    const principal = this.good.find(token, this.clock());
    if (principal !== undefined) return { kind: 'principal', principal };
    const answer = await this.judge(request);
    if (answer.kind === 'failed') this.good.forget(token);
    return answer;
  }

  override recognizes(request: CredentialRequest): boolean {
    const token = bearerToken(request);
    return token === undefined
      ? pickSource(this.sources, request).kind === 'anonymous'
      : this.good.remembers(token);
  }

  private judge(request: CredentialRequest): Promise<Authentication> | Authentication {
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
    const answer = await runStrategy(strategy, request, (user) => source.toPrincipal(user));
    if (answer.kind === 'unavailable') return { kind: 'unavailable', source: source.name };
    if (answer.kind === 'user') return this.principalOf(source, answer, request);
    return 'error' in answer ? this.failedBy(source, answer.error) : failed(source, answer.code);
  }

  private async principalOf(
    source: WiredSource,
    { user, draft }: { readonly user: object; readonly draft: unknown },
    request: CredentialRequest,
  ): Promise<Authentication> {
    const parsed = parsePrincipal(await draft, source.name);
    if ('problem' in parsed) {
      this.logger.warn(`Source '${source.name}' did not map to a principal: ${parsed.problem}.`);
      return failed(source, 'claims');
    }
    const { principal } = parsed;
    if (!this.speaksFor(source, principal.issuer)) return failed(source, 'issuer');
    const { expiresAt } = principal.credential;
    const hasExpired = expiresAt !== undefined && expiresAt * 1000 <= this.clock();
    if (hasExpired && !source.judgesExpiry) return failed(source, 'expired');
    this.remember(source, request, user, principal);
    return { kind: 'principal', principal };
  }

  private remember(
    source: WiredSource,
    request: CredentialRequest,
    user: object,
    principal: Principal,
  ): void {
    const token = bearerToken(request);
    if (token === undefined) return;
    // Whoever is chosen by anything else than the token must be chosen anew.
    const isChosenByToken = source.issuer !== undefined && unverifiedIssuer(request) === source.issuer;
    const isStillGood = (now: number) => isChosenByToken && source.isStillGood(user, now);
    this.good.keep(token, { principal, isStillGood }, this.clock());
  }

  /** A source with an issuer vouches for that one alone; one without, for none that has a source of its own. */
  private speaksFor(source: WiredSource, issuer: string): boolean {
    const own = source.vouchesFor ?? source.issuer;
    if (own !== undefined) return own === issuer;
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
    vouchesFor: source.vouchesFor,
    isStillGood: (user, now) => isStillGood(source, user, now),
    judgesExpiry: source.isStillGood !== undefined,
    findStrategy,
  };
}

function isStillGood(source: IdentitySource, user: unknown, now: number): boolean {
  try {
    return source.isStillGood?.(user, now) === true;
  } catch {
    return false; // Who cannot tell will judge it again.
  }
}

function bearerToken(request: CredentialRequest): string | undefined {
  const authorization = readAuthorization(request);
  return authorization.kind === 'bearer' ? authorization.token : undefined;
}

function failed(source: IdentitySource, reason: RefusalCode): Authentication {
  return { kind: 'failed', reason, source: source.name };
}
