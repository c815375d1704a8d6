import type { IdentitySource } from '../identity.source.js';
import { RESOURCE } from '../jwt/local-issuer.fixture.js';
import { auth0 } from './auth0.js';
import { clerk } from './clerk.js';
import { cognito } from './cognito.js';
import { entra } from './entra.js';
import { serviceAccountsOf } from './google.js';
import { keycloak } from './keycloak.js';
import { okta } from './okta.js';
import type { TokenShape } from './shaped-provider.fixture.js';
import { supabase } from './supabase.js';
import { workos } from './workos.js';

/** Tokens as the vendor documents them (the pages are cited beside each preset), and what must become of them. */
export interface ProviderCase {
  readonly name: string;
  /** What follows the origin in the issuer. */
  readonly path: string;
  readonly source: (issuer: string) => IdentitySource;
  readonly accepted: Readonly<Record<string, readonly [TokenShape, principal: object]>>;
  /** Changes to the first accepted token, and why it is refused then. */
  readonly refused: Readonly<Record<string, readonly [changes: Partial<TokenShape>, reason: string]>>;
}

const JWT = { typ: 'JWT' };
const AT_JWT = { typ: 'at+jwt' };
const UNTYPED = {};
const API_ID = '6e74172b-be56-4843-9ff4-e66a39bb12e3';
const TENANT_ID = '9188040d-6c67-4c5b-b112-36a304b66dad';
const USER_ID = '123e4567-e89b-12d3-a456-426614174000';
const ACCOUNT_ID = '104567890123456789012';

const change = (payload: object, header?: object): Partial<TokenShape> =>
  ({ payload, ...(header && { header }) }) as Partial<TokenShape>;

export const PROVIDERS: readonly ProviderCase[] = [
  {
    name: 'auth0',
    path: '/',
    source: (issuer) => auth0({ issuer, claims: { roles: ['permissions', 'https://acme.example/roles'] } }),
    accepted: {
      'a user, Auth0 profile': [
        {
          header: JWT,
          payload: {
            sub: 'auth0|123456',
            aud: [RESOURCE, 'https://acme.auth0.com/userinfo'],
            azp: 'my_client_id',
            scope: 'openid profile crm:read',
            permissions: ['crm:read', 'crm:write'],
            org_id: 'org_9ybsU1dN2dKfDkBi',
            'https://acme.example/roles': ['agent:admin'],
            user_metadata: { roles: ['root'] },
          },
        },
        {
          kind: 'user',
          subject: 'auth0|123456',
          client: 'my_client_id',
          tenant: 'org_9ybsU1dN2dKfDkBi',
          scopes: ['openid', 'profile', 'crm:read'],
          roles: ['crm:read', 'crm:write', 'agent:admin'],
        },
      ],
      'a user, RFC 9068 profile': [
        {
          header: AT_JWT,
          payload: {
            sub: 'auth0|123456',
            aud: RESOURCE,
            client_id: 'my_client_id',
            jti: '73WakrfVbNJBaAmhQtEeDv',
            scope: 'crm:read',
          },
        },
        { kind: 'user', client: 'my_client_id', credential: { id: '73WakrfVbNJBaAmhQtEeDv' }, roles: [] },
      ],
      'a machine, Auth0 profile': [
        {
          header: JWT,
          payload: {
            sub: 'my_client_id@clients',
            aud: RESOURCE,
            azp: 'my_client_id',
            scope: 'crm:read',
            gty: 'client-credentials',
          },
        },
        { kind: 'client', client: 'my_client_id' },
      ],
      'a machine, RFC 9068 profile': [
        {
          header: AT_JWT,
          payload: {
            sub: 'my_client_id@clients',
            aud: RESOURCE,
            client_id: 'my_client_id',
            scope: 'crm:read',
          },
        },
        { kind: 'client', client: 'my_client_id' },
      ],
    },
    refused: {
      'an ID token': [change({ sub: 'auth0|123456', aud: 'my_client_id', nonce: 'n' }), 'type'],
      'a token for the API of Auth0 alone': [
        change({ sub: 'auth0|123456', azp: 'c', aud: 'https://acme.auth0.com/userinfo' }),
        'audience',
      ],
    },
  },
  {
    name: 'okta',
    path: '/oauth2/default',
    source: (issuer) => okta({ issuer, claims: { tenant: 'workspace' } }),
    accepted: {
      'a user': [
        {
          header: UNTYPED,
          payload: {
            ver: 1,
            jti: 'AT.7P4KlczBYVcWLkxduEuKeZfeiNYkZIC9uGJ28Cc-YaI',
            aud: RESOURCE,
            sub: 'john.doe@example.com',
            cid: 'a9VpZDRCeFh3Nkk2VdYa',
            uid: '00uid4BxXw6I6TV4m0g3',
            scp: ['openid', 'crm:read'],
            groups: ['agent:admin'],
            workspace: 'acme',
          },
        },
        {
          kind: 'user',
          subject: '00uid4BxXw6I6TV4m0g3',
          client: 'a9VpZDRCeFh3Nkk2VdYa',
          tenant: 'acme',
          scopes: ['openid', 'crm:read'],
          roles: ['agent:admin'],
        },
      ],
      'a service': [
        {
          header: UNTYPED,
          payload: {
            ver: 1,
            jti: 'AT.1',
            aud: RESOURCE,
            sub: 'a9VpZDRCeFh3Nkk2VdYa',
            cid: 'a9VpZDRCeFh3Nkk2VdYa',
            scp: ['crm:read'],
          },
        },
        { kind: 'client', subject: 'a9VpZDRCeFh3Nkk2VdYa', scopes: ['crm:read'] },
      ],
    },
    refused: {
      'an ID token': [
        change({ ver: 1, sub: '00uid4BxXw6I6TV4m0g3', aud: RESOURCE, auth_time: 1, amr: ['pwd'] }),
        'type',
      ],
      'a token without scopes in a list': [
        change({ sub: 'x', aud: RESOURCE, cid: 'c', scp: 'crm:read' }),
        'type',
      ],
    },
  },
  {
    name: 'entra',
    path: `/${TENANT_ID}/v2.0`,
    source: (issuer) => entra({ issuer, audience: API_ID, claims: { scopePrefix: `api://${API_ID}/` } }),
    accepted: {
      'a user': [
        {
          header: JWT,
          payload: {
            aud: API_ID,
            azp: '00001111-aaaa-2222-bbbb-3333cccc4444',
            azpacr: '0',
            oid: '22222222-aaaa-2222-bbbb-3333cccc4444',
            rh: '0.A',
            roles: ['agent:admin'],
            scp: 'crm:read crm:write',
            sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ',
            tid: TENANT_ID,
            uti: 'fqiBqXLPj0eQa82S-IYFAA',
            ver: '2.0',
          },
        },
        {
          kind: 'user',
          subject: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ',
          client: '00001111-aaaa-2222-bbbb-3333cccc4444',
          tenant: TENANT_ID,
          scopes: [`api://${API_ID}/crm:read`, `api://${API_ID}/crm:write`],
          roles: ['agent:admin'],
        },
      ],
      'an application': [
        {
          header: JWT,
          payload: {
            aud: API_ID,
            azp: '00001111-aaaa-2222-bbbb-3333cccc4444',
            azpacr: '1',
            idtyp: 'app',
            oid: '33333333-aaaa-2222-bbbb-3333cccc4444',
            roles: ['agent:read-only'],
            sub: '33333333-aaaa-2222-bbbb-3333cccc4444',
            tid: TENANT_ID,
            ver: '2.0',
          },
        },
        { kind: 'client', scopes: [], roles: ['agent:read-only'] },
      ],
      'an application, without the optional idtyp': [
        {
          header: JWT,
          payload: {
            aud: API_ID,
            azp: 'c',
            sub: 's',
            tid: TENANT_ID,
            ver: '2.0',
            roles: ['agent:read-only'],
          },
        },
        { kind: 'client' },
      ],
      'the application of the API itself, for a user': [
        {
          header: JWT,
          payload: { aud: API_ID, azp: API_ID, sub: 's', tid: TENANT_ID, ver: '2.0', scp: 'crm:read' },
        },
        { kind: 'user', client: API_ID },
      ],
    },
    refused: {
      'an ID token for the same application': [
        change({ aud: API_ID, sub: 's', tid: TENANT_ID, ver: '2.0', roles: ['agent:admin'] }),
        'type',
      ],
      'an ID token for the same application that names it': [
        change({ aud: API_ID, azp: API_ID, sub: 's', tid: TENANT_ID, ver: '2.0', roles: ['agent:admin'] }),
        'type',
      ],
      'an application that was assigned nothing': [
        change({ aud: API_ID, azp: 'c', sub: 's', tid: TENANT_ID, ver: '2.0' }),
        'type',
      ],
      'a version 1 token': [
        change({ aud: API_ID, appid: 'c', sub: 's', tid: TENANT_ID, ver: '1.0', scp: 'crm:read' }),
        'type',
      ],
      'a token for Microsoft Graph': [
        change({
          aud: '00000003-0000-0000-c000-000000000000',
          azp: 'c',
          sub: 's',
          ver: '2.0',
          scp: 'User.Read',
        }),
        'audience',
      ],
    },
  },
  {
    name: 'keycloak',
    path: '/realms/acme',
    source: (issuer) => keycloak({ issuer, rolesOf: 'acme/mcp' }),
    accepted: {
      'a user': [
        {
          header: JWT,
          payload: {
            jti: 'onrtac:6d1f4b0c',
            aud: [RESOURCE, 'account'],
            sub: 'd952cf23-bf92-4c8f-a3ff-4972b4f2bc5b',
            typ: 'Bearer',
            azp: 'research-agent',
            sid: '0a3c7e0e-3c0a-4b0e-9a2f-1f2e3d4c5b6a',
            realm_access: { roles: ['offline_access', 'agent:admin'] },
            resource_access: {
              'acme/mcp': { roles: ['agent:auditor'] },
              account: { roles: ['manage-account'] },
            },
            scope: 'openid crm:read organization',
            organization: { acme: { id: '42c3e46f-2477-44d7-a85b-d3b43f6b31fa' } },
            preferred_username: 'ada',
          },
        },
        {
          kind: 'user',
          client: 'research-agent',
          tenant: 'acme',
          scopes: ['openid', 'crm:read', 'organization'],
          roles: ['offline_access', 'agent:admin', 'agent:auditor'],
        },
      ],
      'a user, RFC 9068 header, organizations in a list': [
        {
          header: AT_JWT,
          payload: { aud: RESOURCE, sub: 'u', typ: 'Bearer', azp: 'c', sid: 's', organization: ['acme'] },
        },
        { kind: 'user', tenant: 'acme' },
      ],
      'a user of several organizations, who belongs to none': [
        {
          header: JWT,
          payload: {
            aud: RESOURCE,
            sub: 'u',
            typ: 'Bearer',
            azp: 'c',
            sid: 's',
            organization: ['acme', 'umbra'],
          },
        },
        { kind: 'user', tenant: undefined },
      ],
      'a service account': [
        {
          header: JWT,
          payload: {
            aud: RESOURCE,
            sub: 'd952cf23-bf92-4c8f-a3ff-4972b4f2bc5b',
            typ: 'Bearer',
            azp: 'batch',
            scope: 'crm:read',
            clientHost: '10.0.0.1',
            clientAddress: '10.0.0.1',
            client_id: 'batch',
            preferred_username: 'service-account-batch',
          },
        },
        { kind: 'client', client: 'batch' },
      ],
      'a service account with a session': [
        {
          header: JWT,
          payload: { aud: RESOURCE, sub: 'u', typ: 'Bearer', azp: 'batch', sid: 's', clientHost: '10.0.0.1' },
        },
        { kind: 'client', client: 'batch' },
      ],
    },
    refused: {
      'an ID token': [
        change({ aud: RESOURCE, sub: 'u', typ: 'ID', azp: 'research-agent', sid: 's' }),
        'type',
      ],
      'a refresh token': [change({ aud: RESOURCE, sub: 'u', typ: 'Refresh', azp: 'c', sid: 's' }), 'type'],
      'a token that no mapper gave an audience': [change({ sub: 'u', typ: 'Bearer', azp: 'c' }), 'claims'],
      'a token for the account console': [
        change({ aud: 'account', sub: 'u', typ: 'Bearer', azp: 'c' }),
        'audience',
      ],
    },
  },
  {
    name: 'cognito',
    path: '/eu-central-1_AbCdEfGhI',
    source: (issuer) =>
      cognito({ issuer, clients: ['1h57kf5cpq17m0eml12EXAMPLE'], claims: { tenant: 'workspace' } }),
    accepted: {
      'a user, for no resource': [
        {
          header: UNTYPED,
          payload: {
            sub: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
            'cognito:groups': ['agent:admin'],
            version: 2,
            client_id: '1h57kf5cpq17m0eml12EXAMPLE',
            origin_jti: 'aaaaaaaa-bbbb-cccc-dddd-ffffffffffff',
            token_use: 'access',
            scope: 'openid acme-mcp/crm:read',
            auth_time: 1_676_313_851,
            jti: 'aaaaaaaa-bbbb-cccc-dddd-000000000000',
            username: 'my-test-user',
            workspace: 'acme',
          },
        },
        {
          kind: 'user',
          client: '1h57kf5cpq17m0eml12EXAMPLE',
          tenant: 'acme',
          scopes: ['openid', 'acme-mcp/crm:read'],
          roles: ['agent:admin'],
        },
      ],
      'a user, for this resource': [
        {
          header: UNTYPED,
          payload: {
            sub: 'u',
            aud: RESOURCE,
            client_id: '1h57kf5cpq17m0eml12EXAMPLE',
            token_use: 'access',
            username: 'u',
          },
        },
        { kind: 'user' },
      ],
      'a machine': [
        {
          header: UNTYPED,
          payload: {
            sub: '1h57kf5cpq17m0eml12EXAMPLE',
            client_id: '1h57kf5cpq17m0eml12EXAMPLE',
            token_use: 'access',
            scope: 'acme-mcp/crm:read',
          },
        },
        { kind: 'client', roles: [] },
      ],
    },
    refused: {
      'an ID token': [
        change({
          sub: 'u',
          aud: '1h57kf5cpq17m0eml12EXAMPLE',
          token_use: 'id',
          'cognito:groups': ['agent:admin'],
        }),
        'type',
      ],
      'a token of another app client': [
        change({ sub: 'u', client_id: 'other', token_use: 'access', username: 'u' }),
        'client',
      ],
      'a token for another resource': [
        change({
          sub: 'u',
          aud: 'https://other.example/mcp',
          client_id: '1h57kf5cpq17m0eml12EXAMPLE',
          token_use: 'access',
        }),
        'audience',
      ],
    },
  },
  {
    name: 'clerk',
    path: '',
    source: (issuer) => clerk({ issuer }),
    accepted: {
      'a user': [
        {
          header: AT_JWT,
          payload: {
            jti: 'oat_2xKa9Bgv7NxMRDFyQw8LpZ3cTmU1vHjE',
            aud: RESOURCE,
            client_id: 'client_2VTWUzvGC5UhdJCNx6xG1D98edc',
            sub: 'user_2vYVtestTESTtestTESTtestTESTtest',
            scope: 'profile user:org:read',
            scp: ['profile', 'user:org:read'],
            org_id: 'org_2abc',
            public_metadata: { roles: ['root'] },
          },
        },
        {
          kind: 'user',
          client: 'client_2VTWUzvGC5UhdJCNx6xG1D98edc',
          tenant: 'org_2abc',
          scopes: ['profile', 'user:org:read'],
          roles: [],
        },
      ],
    },
    refused: {
      'a session token': [
        change(
          {
            azp: 'https://app.acme.example',
            sid: 'sess_1',
            sub: 'user_1',
            sts: 'active',
            o: { id: 'org_1', rol: 'admin' },
          },
          JWT,
        ),
        'type',
      ],
      'a JWT template with the audience of this server': [
        change({ aud: RESOURCE, azp: 'https://app.acme.example', sub: 'user_1' }, JWT),
        'type',
      ],
    },
  },
  {
    name: 'supabase',
    path: '/auth/v1',
    source: (issuer) => supabase({ issuer, clients: ['9a8b7c6d-5e4f-3a2b-1c0d-9e8f7a6b5c4d'] }),
    accepted: {
      'a user, with the audience of all': [
        {
          header: JWT,
          payload: {
            sub: USER_ID,
            role: 'authenticated',
            aud: 'authenticated',
            user_id: USER_ID,
            email: 'user@example.com',
            client_id: '9a8b7c6d-5e4f-3a2b-1c0d-9e8f7a6b5c4d',
            aal: 'aal1',
            amr: [{ method: 'password', timestamp: 1_735_815_600 }],
            session_id: 'session-uuid',
            app_metadata: { provider: 'email', tenant: 'acme', roles: ['agent:admin'] },
            user_metadata: { tenant: 'umbra', roles: ['root'] },
            is_anonymous: false,
          },
        },
        {
          kind: 'user',
          subject: USER_ID,
          client: '9a8b7c6d-5e4f-3a2b-1c0d-9e8f7a6b5c4d',
          tenant: 'acme',
          scopes: [],
          roles: ['agent:admin'],
        },
      ],
      'a user, with the audience that a hook wrote': [
        {
          header: JWT,
          payload: {
            sub: USER_ID,
            role: 'authenticated',
            aud: RESOURCE,
            client_id: '9a8b7c6d-5e4f-3a2b-1c0d-9e8f7a6b5c4d',
            scope: 'crm:read',
          },
        },
        { scopes: ['crm:read'], tenant: undefined },
      ],
    },
    refused: {
      'a session token': [change({ sub: USER_ID, role: 'authenticated', aud: 'authenticated' }), 'type'],
      'a token of another client': [
        change({ sub: USER_ID, role: 'authenticated', aud: 'authenticated', client_id: 'other' }),
        'client',
      ],
      'an anonymous user': [
        change({
          sub: USER_ID,
          role: 'authenticated',
          aud: 'authenticated',
          client_id: 'c',
          is_anonymous: true,
        }),
        'type',
      ],
      'the service role': [
        change({ sub: 's', role: 'service_role', aud: 'authenticated', client_id: 'c' }),
        'type',
      ],
    },
  },
  {
    name: 'workos',
    path: '',
    source: (issuer) =>
      workos({
        issuer,
        environment: 'client_123456789',
        clients: ['client_01JP8BD0CZ401TDF9X54NT5ZEK', 'client_machine'],
      }),
    accepted: {
      'a user': [
        {
          header: UNTYPED,
          payload: {
            aud: RESOURCE,
            sub: 'user_01JQ0E27VT3MH79RY0FVA4QBP9',
            client_id: 'client_01JP8BD0CZ401TDF9X54NT5ZEK',
            org_id: 'org_01HRDMC6CM357W30QMHMQ96Q0S',
            sid: 'app_consent_01JQ0E27WE4K1RCMH7Q094M1GJ',
            scope: 'openid crm:read',
            jti: '01JQ0E27ZXE4XNHVP870S6PWYN',
          },
        },
        {
          kind: 'user',
          client: 'client_01JP8BD0CZ401TDF9X54NT5ZEK',
          tenant: 'org_01HRDMC6CM357W30QMHMQ96Q0S',
          scopes: ['openid', 'crm:read'],
          roles: [],
        },
      ],
      'a user, for whom somebody of the organization acts': [
        {
          header: UNTYPED,
          payload: {
            aud: RESOURCE,
            sub: 'user_1',
            client_id: 'client_01JP8BD0CZ401TDF9X54NT5ZEK',
            role: 'admin',
            act: { sub: 'ops@acme.example' },
          },
        },
        { kind: 'user', roles: ['admin'], actors: [{ subject: 'ops@acme.example' }] },
      ],
      'a machine, whose audience is the environment': [
        {
          header: UNTYPED,
          payload: {
            aud: 'client_123456789',
            sub: 'client_machine',
            client_id: 'client_machine',
            org_id: 'org_1',
            scope: 'crm:read',
          },
        },
        { kind: 'client', client: 'client_machine', tenant: 'org_1' },
      ],
    },
    refused: {
      'an ID token': [
        change({ aud: 'client_1', sub: 'user_1', email: 'a@acme.example', name: 'Ada' }),
        'type',
      ],
      'a machine that was not named': [
        change({ aud: 'client_123456789', sub: 'client_1', client_id: 'client_1', scope: 'crm:read' }),
        'client',
      ],
      'a token of another environment': [
        change({ aud: 'client_9', sub: 'user_1', client_id: 'client_machine', scope: 'crm:read' }),
        'audience',
      ],
      'a session token': [
        change({ sid: 'session_1', sub: 'user_1', org_id: 'org_1', role: 'admin' }),
        'type',
      ],
    },
  },
  {
    name: 'google',
    path: '',
    source: (issuer) =>
      serviceAccountsOf(issuer, {
        serviceAccounts: {
          [ACCOUNT_ID]: { tenant: 'acme', scopes: ['crm:read'], roles: ['agent:read-only'] },
        },
      }),
    accepted: {
      'a service account': [
        {
          header: JWT,
          payload: {
            aud: RESOURCE,
            azp: ACCOUNT_ID,
            email: 'batch@acme.iam.gserviceaccount.com',
            email_verified: true,
            sub: ACCOUNT_ID,
          },
        },
        {
          kind: 'client',
          subject: ACCOUNT_ID,
          client: ACCOUNT_ID,
          tenant: 'acme',
          scopes: ['crm:read'],
          roles: ['agent:read-only'],
        },
      ],
    },
    refused: {
      'an ID token of a person': [
        change({
          aud: '1-x.apps.googleusercontent.com',
          azp: '1-x.apps.googleusercontent.com',
          sub: '2',
          hd: 'acme.example',
        }),
        'audience',
      ],
      'a service account of somebody else, which asked for this audience': [
        change({ aud: RESOURCE, azp: '999', sub: '999', email: 'x@evil.iam.gserviceaccount.com' }),
        'client',
      ],
    },
  },
];
