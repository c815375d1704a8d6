import type { IdentitySource } from '../identity.source.js';
import type { ClaimMapping } from '../jwt/claim-mapping.js';
import { claimPaths, firstClaimAt, type ClaimPath } from '../jwt/claim-path.js';
import { oidc, type OidcOptions } from '../jwt/oidc.source.js';

/** What every preset takes: all of {@link OidcOptions} that the provider does not decide. */
export interface PresetOptions extends Omit<OidcOptions, 'isAccessToken' | 'unboundAudience'> {
  /** Instead of single lines of the mapping of the preset; what is not named here stays. */
  readonly claims?: ClaimMapping | undefined;
}

/** {@link PresetOptions} of a provider whose tokens name no audience by themselves. */
export interface UnboundPresetOptions extends PresetOptions {
  /**
   * Ids of the clients that may call. Tokens that name no audience are taken from them alone; without it, only tokens
   * that name {@link audience} are.
   */
  readonly clients?: readonly string[] | undefined;
}

/** How the access tokens of one provider look. */
export interface ProviderShape {
  /** As the function is called, for messages. */
  readonly name: string;
  readonly issuer: {
    /** Matched against everything after the origin. */
    readonly path: RegExp;
    readonly example: string;
  };
  readonly typ: readonly string[];
  readonly claims: ClaimMapping & { readonly client: ClaimPath | readonly ClaimPath[] };
  /** What an access token has besides a client. */
  readonly isAccessToken?: (claims: Claims) => boolean;
  readonly unboundAudience?: string | undefined;
}

export type Claims = Readonly<Record<string, unknown>>;

/**
 * `oidc()` for tokens of this shape. A token that names no client was not given to one, so it is not an access token.
 *
 * @throws TypeError for an issuer of another form, and for all that `oidc()` refuses
 */
export function preset(shape: ProviderShape, options: PresetOptions): IdentitySource {
  checkIssuer(shape, options.issuer);
  const claims = { ...shape.claims, ...given(options.claims) };
  const client = claimPaths(claims.client ?? shape.claims.client);
  return oidc({
    ...options,
    claims,
    typ: options.typ ?? shape.typ,
    unboundAudience: shape.unboundAudience,
    isAccessToken: (token) =>
      firstClaimAt(token, client) !== undefined && (shape.isAccessToken?.(token) ?? true),
  });
}

/** @throws TypeError when neither an audience nor the clients were named */
export function assertBound(name: string, why: string, { audience, clients }: UnboundPresetOptions): void {
  if (audience !== undefined || clients !== undefined) return;
  throw new TypeError(
    `${name}() must know which tokens are meant for this server. ${why} Write audience: 'https://mcp.example.com/mcp', or clients: ['the-client-id'] to name the clients that may call without one.`,
  );
}

function checkIssuer({ name, issuer: { path, example } }: ProviderShape, issuer: string): void {
  const rest = /^https?:\/\/[^/?#]+(?<rest>.*)$/i.exec(issuer ?? '')?.groups?.['rest'];
  if (rest === undefined || !path.test(rest)) {
    throw new TypeError(`'${issuer}' is no issuer of ${name}(): write issuer: '${example}'.`);
  }
}

/** A line that is `undefined` was left out. */
function given(claims: ClaimMapping = {}): ClaimMapping {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}
