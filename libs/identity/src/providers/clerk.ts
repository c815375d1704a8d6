import type { IdentitySource } from '../identity.source.js';
import { ACCESS_TOKEN_TYPES } from '../jwt/token-rules.js';
import { preset, type PresetOptions, type ProviderShape } from './preset.js';

/**
 * `typ`, `client_id`, `scp` before `scope`, as the SDK of Clerk reads and requires them:
 * https://github.com/clerk/javascript/blob/main/packages/backend/src/api/resources/IdPOAuthAccessToken.ts
 * https://github.com/clerk/javascript/blob/main/packages/backend/src/tokens/__tests__/verify.test.ts
 *
 * The audience is the URL of the MCP server: https://clerk.com/docs/references/nextjs/build-mcp-server
 *
 * `org_id`: https://clerk.com/changelog/2026-05-14-oauth-organizations
 *
 * That these tokens can be JWTs, and are in new applications: https://clerk.com/changelog/2026-01-08-jwt-oauth-access-tokens
 */
const SHAPE: ProviderShape = {
  name: 'clerk',
  issuer: { path: /^$/, example: 'https://clerk.acme.example' },
  typ: ACCESS_TOKEN_TYPES,
  claims: {
    scopes: ['scp', 'scope'],
    roles: [],
    tenant: 'org_id',
    client: 'client_id',
    withoutUser: ({ sub }) => typeof sub !== 'string' || !sub.startsWith('user_'),
  },
};

/**
 * Clerk: OAuth access tokens as JWTs. Session tokens, JWT templates and machine tokens are signed by the same key and have
 * another `typ`: they are refused. No role is read, because these tokens have none.
 *
 * @throws TypeError for an issuer with a path or a slash at its end
 * @example
 * clerk({ issuer: 'https://clerk.acme.example' })
 */
export function clerk(options: PresetOptions): IdentitySource {
  return preset(SHAPE, options);
}
