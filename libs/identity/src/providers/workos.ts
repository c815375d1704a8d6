import type { IdentitySource } from '../identity.source.js';
import { ABSENT, ACCESS_TOKEN_TYPES } from '../jwt/token-rules.js';
import { preset, type PresetOptions, type ProviderShape } from './preset.js';

/**
 * Claims of user and machine tokens, and their audience: https://workos.com/docs/authkit/connect/token-claims
 *
 * The header (`alg` and `kid` alone), in the sample response:
 * https://workos.com/docs/reference/workos-connect/token/authorization-code-grant
 */
const SHAPE: ProviderShape = {
  name: 'workos',
  issuer: { path: /^$/, example: 'https://acme.authkit.app' },
  typ: [ABSENT, ...ACCESS_TOKEN_TYPES],
  claims: { scopes: 'scope', roles: ['roles', 'role'], tenant: 'org_id', client: 'client_id' },
};

export interface WorkosOptions extends PresetOptions {
  /**
   * The client id of the environment: the audience of machine tokens, and of tokens that were asked for no resource. They
   * are taken from `clients` alone. Default: only tokens for this server are taken.
   */
  readonly environment?: string | undefined;
}

/**
 * WorkOS AuthKit: access tokens of Connect, for OAuth applications and MCP clients. The resource of this server must be
 * among the resource indicators there. Connect puts no role into its tokens: `role` and `roles`, as session tokens have
 * them, are read where they are added.
 *
 * @throws TypeError for an issuer with a path or a slash at its end, such as that of session tokens, and for an environment
 * without clients
 * @example
 * workos({ issuer: 'https://acme.authkit.app' })
 */
export function workos({ environment, ...options }: WorkosOptions): IdentitySource {
  return preset({ ...SHAPE, unboundAudience: environment }, options);
}
