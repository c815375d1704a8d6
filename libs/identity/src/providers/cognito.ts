import type { IdentitySource } from '../identity.source.js';
import { ABSENT } from '../jwt/token-rules.js';
import { assertBound, preset, type ProviderShape, type UnboundPresetOptions } from './preset.js';

/**
 * Header (`kid` and `alg` alone), claims, `token_use`, and `aud` as "present only if your application requested a
 * resource binding":
 * https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
 *
 * Scopes as `resource-server-identifier/scope`:
 * https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_DescribeResourceServer.html
 */
const SHAPE: ProviderShape = {
  name: 'cognito',
  issuer: {
    path: /^\/[\w-]+_[0-9A-Za-z]+$/,
    example: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI',
  },
  typ: [ABSENT],
  claims: {
    scopes: 'scope',
    roles: 'cognito:groups',
    client: 'client_id',
    withoutUser: ({ username }) => username === undefined,
  },
  isAccessToken: ({ token_use }) => token_use === 'access',
};

/**
 * Amazon Cognito: access tokens of a user pool. They name an audience when the client asked for this resource (`audience`);
 * otherwise the app clients that may call must be named (`clients`).
 *
 * A scope is written as Cognito does, with the identifier of the resource server: `acme-mcp/crm:read`.
 *
 * @throws TypeError when neither is given, and for an issuer that is no user pool
 * @example
 * cognito({ issuer: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI', clients: ['1h57kf5cpq17m0eml12EXAMPLE'] })
 */
export function cognito(options: UnboundPresetOptions): IdentitySource {
  assertBound('cognito', 'Cognito names an audience only when the client asked for a resource.', options);
  return preset({ ...SHAPE, unboundAudience: options.clients && ABSENT }, options);
}
