import type { ClientMetadata, errors as OidcErrors } from 'oidc-provider';
import { RESEARCH_AGENT } from './people.js';

/** What a client that nobody vetted may do. Client credentials are for the agent this provider knows. */
const OPEN_GRANT_TYPES = ['authorization_code', 'refresh_token'];

type InvalidClientMetadata = typeof OidcErrors.InvalidClientMetadata;
type Metadata = { -readonly [Key in keyof ClientMetadata]: ClientMetadata[Key] };

/**
 * Brings the metadata of a client that registered itself (RFC 7591) or published a document (CIMD) into the form this
 * provider serves, where `oidc-provider` would refuse what MCP clients in the field send. RFC 7591 §3.2.1 allows an
 * authorization server to replace values; the answer of the registration says what came of it.
 */
export function applyClientRules(metadata: Metadata, InvalidMetadata: InvalidClientMetadata): void {
  if (metadata.client_id === RESEARCH_AGENT.id) return;
  // A scope named here would bind the client to it for ever, and asking for one more scope later would fail.
  delete metadata.scope;
  metadata.grant_types = openGrantTypes(metadata.grant_types, InvalidMetadata);
  metadata.application_type = applicationType(metadata.redirect_uris, InvalidMetadata);
}

function openGrantTypes(asked: unknown, InvalidMetadata: InvalidClientMetadata): string[] {
  if (!Array.isArray(asked)) return [...OPEN_GRANT_TYPES];
  // Editors register for grants such as the device code as well, and never use them here.
  const open = OPEN_GRANT_TYPES.filter((type) => asked.includes(type));
  if (open.includes('authorization_code')) return open;
  throw new InvalidMetadata(
    'grant_types must have "authorization_code": other grants are not open to unknown clients',
  );
}

/**
 * A client with a loopback or private-use redirect is a native app (RFC 8252 §7), said or not: only then may its port
 * vary and its scheme be its own. Many clients leave `application_type` out, and its default is "web".
 */
function applicationType(redirectUris: unknown, InvalidMetadata: InvalidClientMetadata): 'web' | 'native' {
  const uris = Array.isArray(redirectUris) ? redirectUris.filter((uri) => typeof uri === 'string') : [];
  const urls = uris.filter((uri) => URL.canParse(uri)).map((uri) => new URL(uri));
  if (urls.some((url) => url.protocol === 'http:' && !isLoopback(url.hostname))) {
    throw new InvalidMetadata('redirect_uris must use https, a loopback address or a private-use scheme');
  }
  return urls.some((url) => url.protocol !== 'https:') ? 'native' : 'web';
}

/** Whether a host name can only mean this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]';
}
