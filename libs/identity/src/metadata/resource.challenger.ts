import { Challenger, type Challenge, type ChallengeError, type Freshness } from '@sallyport/mcp';
import { askableScopes, resourceMetadataUrl } from './resource-metadata.js';

const DESCRIPTIONS: Record<ChallengeError, string> = {
  invalid_token: 'The access token is invalid, expired, or not meant for this server.',
  insufficient_scope: 'The access token lacks a scope that this operation needs.',
  insufficient_user_authentication: 'This operation needs a more recent or a stronger sign-in of its user.',
};

/**
 * Writes `WWW-Authenticate: Bearer …` (RFC 6750 §3) with the metadata URL (RFC 9728 §5.1), and how the user must sign in
 * (RFC 9470 §3).
 */
export class ResourceChallenger extends Challenger {
  private readonly resourceMetadata: string;

  constructor(resource: string) {
    super();
    this.resourceMetadata = resourceMetadataUrl(resource);
  }

  challenge(scopes: readonly string[], error?: ChallengeError, freshness: Freshness = {}): Challenge {
    const parameters = [
      ['resource_metadata', this.resourceMetadata],
      ['scope', askableScopes(scopes).join(' ')],
      ['error', error ?? ''],
      ['error_description', error === undefined ? '' : DESCRIPTIONS[error]],
      ['acr_values', (freshness.acr ?? []).join(' ')],
      ['max_age', freshness.maxAge === undefined ? '' : String(freshness.maxAge)],
    ] as const;
    const written = parameters
      .filter(([, value]) => value !== '')
      .map(([name, value]) => `${name}=${quoted(value)}`);
    return { header: `Bearer ${written.join(', ')}`, resourceMetadata: this.resourceMetadata };
  }
}

/** RFC 9110 §5.6.4 quoted-string. What no header may hold is left out. */
function quoted(value: string): string {
  return `"${value.replace(/[^\x20-\x7E]/g, '').replace(/["\\]/g, '\\$&')}"`;
}
