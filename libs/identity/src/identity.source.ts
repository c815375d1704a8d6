import type { CredentialRequest } from '@sallyport/mcp';
import type { Store, StoreTables } from '@sallyport/store';
import type { IdentityProblem } from './identity.problems.js';

/** Any Passport strategy: passport-jwt, passport-custom, one of your own. */
export interface PassportStrategy {
  readonly name?: string | undefined;
  authenticate(...args: never[]): unknown;
}

/** What a source learns when the server is put together. */
export interface SourceWiring {
  /** RFC 8707 resource indicator of this server: the audience of its tokens. */
  readonly resource: string;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Where the {@link IdentitySource.tables} of the sources are; absent when none has any. */
  readonly store?: Store | undefined;
}

/** One way to authenticate: an entry of `identity: […]`. Made by `oidc()`, `passportIdentity()`, or by hand. */
export interface IdentitySource {
  /** Unique. Names the source in the audit and in messages. */
  readonly name: string;
  /** The `iss` this source stands for. A JWT of this issuer is judged here and nowhere else. */
  readonly issuer?: string | undefined;
  /**
   * The issuer of its principals, when it takes other tokens of an issuer than JWTs, which may have a source of their own.
   * Default: {@link issuer}.
   */
  readonly vouchesFor?: string | undefined;
  /** Where clients get tokens for this source; listed in the resource metadata. */
  readonly authorizationServer?: string | undefined;
  /**
   * Does this request carry a credential for this source? The first that says `true` decides alone. Not asked for a JWT of
   * {@link issuer}, which comes here in any case.
   */
  accepts(request: CredentialRequest): boolean;
  /** A strategy, the name of one registered with `passport.use()`, or a function that makes one for this server. */
  readonly strategy: PassportStrategy | string | ((wiring: SourceWiring) => PassportStrategy);
  /** Turns what the strategy found into a {@link PrincipalDraft}; a strict schema judges the result. */
  toPrincipal(user: unknown): unknown;
  /**
   * May what the strategy found be given again as the answer to the very same JWT of {@link issuer}, at `now` in
   * milliseconds? Asked with every repetition, so it must not wait for anything. Only for a strategy that looks at nothing
   * but the token. Absent: every request is judged anew.
   */
  readonly isStillGood?: ((user: unknown, now: number) => boolean) | undefined;
  /** The tables it keeps in the database of the server. Their names, and those of their migrations, must be unique. */
  readonly tables?: StoreTables | undefined;
  /** What is wrong with it by itself, and must not boot. */
  problems?(environment: { readonly resource: string | undefined }): IdentityProblem[];
  /** How long strategy and mapping may take, in milliseconds. Default 5000. */
  readonly timeoutMs?: number | undefined;
}
