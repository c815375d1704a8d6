import type { IdentitySource } from '../identity.source.js';
import { assertBound, preset, type ProviderShape, type UnboundPresetOptions } from './preset.js';

/**
 * Claims, and their values: https://supabase.com/docs/guides/auth/jwt-fields
 *
 * `client_id`, and an audience of one's own by a hook: https://supabase.com/docs/guides/auth/oauth-server/token-security
 *
 * The header: https://supabase.com/docs/guides/auth/jwts
 */
const SHAPE: ProviderShape = {
  name: 'supabase',
  issuer: { path: /^\/auth\/v1$/, example: 'https://abcdefghijklmnopqrst.supabase.co/auth/v1' },
  typ: ['JWT'],
  claims: {
    scopes: 'scope',
    // `app_metadata` is written by the service role; `user_metadata` by the user.
    roles: '/app_metadata/roles',
    tenant: '/app_metadata/tenant',
    client: 'client_id',
  },
  isAccessToken: ({ role, is_anonymous }) => role === 'authenticated' && is_anonymous !== true,
};

/**
 * Supabase Auth: tokens of its OAuth 2.1 server. The audience is `authenticated` for all of them, so the clients that may
 * call must be named (`clients`), unless a custom access token hook writes the resource of this server (`audience`). The
 * project must sign with an asymmetric key. Session tokens, which name no client, and anonymous users are refused.
 *
 * @throws TypeError when neither is given, and for an issuer that is no project
 * @example
 * supabase({ issuer: 'https://abcdefghijklmnopqrst.supabase.co/auth/v1', clients: ['9a8b7c6d-5e4f-3a2b-1c0d-9e8f7a6b5c4d'] })
 */
export function supabase(options: UnboundPresetOptions): IdentitySource {
  assertBound(
    'supabase',
    "Supabase says 'authenticated' in all of them, unless a hook writes more.",
    options,
  );
  return preset({ ...SHAPE, unboundAudience: options.clients && 'authenticated' }, options);
}
