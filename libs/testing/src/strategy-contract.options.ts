import type { IdentitySource } from 'sallyport';
import type { CredentialHeaders } from './credential-headers.js';

/** A credential, or a function that makes one when the first check runs. */
export type Supply = CredentialHeaders | (() => CredentialHeaders | Promise<CredentialHeaders>);

/** A credential that must authenticate nobody, and what is wrong with it: `{ what: 'a revoked key', headers }`. */
export interface BadExample {
  readonly what: string;
  readonly headers: Supply;
}

export interface StrategyContractOptions {
  /** The source under test, as in `identity: […]`, or a function that makes it when the first check runs. */
  readonly source: IdentitySource | (() => IdentitySource | Promise<IdentitySource>);
  /** A credential of somebody, good for as long as the checks run, however often it is used. */
  readonly good: Supply;
  /** A good credential of somebody else. With it, the checks see whether one is taken for the other. */
  readonly other?: Supply | undefined;
  /** One that was good until it expired. */
  readonly expired?: Supply | undefined;
  /** Others that must authenticate nobody. What can be made from the good one is tried in any case. */
  readonly bad?: readonly BadExample[] | undefined;
  /** Parts of the credentials that are no secret and may be seen, such as the id of an API key. */
  readonly mayBeSeen?: readonly string[] | undefined;
  /** The `resource` of the server. Default: `https://mcp.example.com/mcp`. */
  readonly resource?: string | undefined;
  /** How long an answer may take, in milliseconds. Default 2000. */
  readonly withinMs?: number | undefined;
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly clock?: (() => number) | undefined;
}

export async function supplied(supply: Supply): Promise<CredentialHeaders> {
  return typeof supply === 'function' ? supply() : supply;
}
