import { errors } from 'oidc-provider';
import type { ClientMetadata } from 'oidc-provider';
import { applyClientRules } from './client-rules.js';

describe('applyClientRules', () => {
  const ruled = (metadata: Partial<ClientMetadata>): ClientMetadata => {
    const client: ClientMetadata = {
      client_id: 'some',
      redirect_uris: ['https://agent.example/callback'],
      ...metadata,
    };
    applyClientRules(client, errors.InvalidClientMetadata);
    return client;
  };

  it.each([
    [['https://agent.example/callback'], 'web'],
    [['http://127.0.0.1/callback'], 'native'],
    [['http://localhost:6274/oauth/callback'], 'native'],
    [['http://[::1]:4000/callback'], 'native'],
    [['cursor://anysphere.cursor-retrieval/oauth/callback'], 'native'],
    [['https://vscode.dev/redirect', 'http://127.0.0.1:33418'], 'native'],
  ])('takes a client with %j for a %s application', (redirectUris, type) => {
    expect(ruled({ redirect_uris: redirectUris, application_type: 'web' }).application_type).toBe(type);
  });

  it.each(['http://agent.example/callback', 'http://127.0.0.1.agent.example/', 'http://10.0.0.1/callback'])(
    'refuses a redirect to %s',
    (redirectUri) => {
      expect(() => ruled({ redirect_uris: ['https://agent.example/', redirectUri] })).toThrow(
        'invalid_redirect_uri',
      );
    },
  );

  it.each([
    [undefined, ['authorization_code', 'refresh_token']],
    [['authorization_code'], ['authorization_code']],
    [
      ['client_credentials', 'refresh_token', 'authorization_code'],
      ['authorization_code', 'refresh_token'],
    ],
  ])('makes the grants %j of an unknown client %j', (asked, given) => {
    expect(ruled({ grant_types: asked }).grant_types).toEqual(given);
  });

  it('gives client credentials to the research agent alone', () => {
    expect(() => ruled({ grant_types: ['client_credentials'] })).toThrow('invalid_client_metadata');
    const agent = ruled({ client_id: 'research-agent', grant_types: ['client_credentials'] });
    expect(agent.grant_types).toEqual(['client_credentials']);
  });
});
