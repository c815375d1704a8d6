import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { refreshAuthorization, startAuthorization } from '@modelcontextprotocol/client';
import type { OAuthTokens } from '@modelcontextprotocol/client';
import { NestFactory } from '@nestjs/core';
import { CookieJar } from '../src/development-provider/cookie-jar.js';
import { DevelopmentProviderModule } from '../src/development-provider/development-provider.module.js';
import { headlessSignIn } from '../src/development-provider/headless-sign-in.js';
import { PEOPLE } from '../src/development-provider/people.js';
import { runTokenCommand } from '../src/development-provider/token.command.js';
import { CALLBACK, newDataDirectory, ProviderProcess } from './support/development-provider.js';
import type { SignInRequest } from './support/development-provider.js';

describe('The development provider', () => {
  let office: ProviderProcess;

  beforeAll(async () => {
    office = await ProviderProcess.start({ fetch: fetchDocuments });
  });

  afterAll(async () => {
    await office.stop();
  });

  async function verified(token: string, audience = office.resource) {
    const keys = createRemoteJWKSet(new URL(`${office.issuer}/jwks`));
    return jwtVerify(token, keys, { issuer: office.issuer, audience, typ: 'at+jwt', algorithms: ['ES256'] });
  }

  async function tokensOf(request: SignInRequest): Promise<OAuthTokens> {
    const { callback, tokens } = await office.signIn(request);
    if (tokens === undefined) throw new Error(`No code came back: ${callback.search}`);
    return tokens;
  }

  const endpoints = {
    token: () => `${office.issuer}/token`,
    revocation: () => `${office.issuer}/token/revocation`,
    introspection: () => `${office.issuer}/token/introspection`,
  };

  async function post(url: string, form: Record<string, string>, headers: Record<string, string> = {}) {
    const response = await fetch(url, { method: 'POST', body: new URLSearchParams(form), headers });
    const text = await response.text();
    return {
      status: response.status,
      body: text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>),
    };
  }

  describe('discovery', () => {
    const FORMS = [
      '/.well-known/oauth-authorization-server/idp',
      '/.well-known/openid-configuration/idp',
      '/idp/.well-known/oauth-authorization-server',
      '/idp/.well-known/openid-configuration',
    ];

    it('gives the same document at every form of the address', async () => {
      const documents = await Promise.all(
        FORMS.map(async (form) => (await fetch(`${office.url}${form}`)).json()),
      );
      for (const document of documents) expect(document).toEqual(documents[0]);
    });

    it('says what an MCP client has to know', async () => {
      expect(await office.metadata()).toMatchObject({
        issuer: office.issuer,
        authorization_endpoint: `${office.issuer}/auth`,
        token_endpoint: `${office.issuer}/token`,
        registration_endpoint: `${office.issuer}/reg`,
        revocation_endpoint: `${office.issuer}/token/revocation`,
        jwks_uri: `${office.issuer}/jwks`,
        code_challenge_methods_supported: ['S256'],
        response_types_supported: ['code'],
        client_id_metadata_document_supported: true,
        authorization_response_iss_parameter_supported: true,
        scopes_supported: expect.arrayContaining(['openid', 'offline_access', 'email:read', 'tickets:write']),
      });
    });

    it('names its own addresses, whatever host the caller says', async () => {
      const forwarded = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' };
      const response = await fetch(`${office.url}${FORMS[0]}`, { headers: forwarded });
      expect(await response.text()).not.toContain('evil.example');
    });

    it.each(['/idp/.well-known/openid-configuration', '/idp/reg', '/sign-in/some'])(
      'refuses %s for a host name that is not its own (DNS rebinding)',
      async (path) => {
        expect(await statusWithHost(`${office.url}${path}`, 'evil.example')).toBe(421);
      },
    );

    it.each([
      '/idp/.well-known/openid-configuration',
      '/idp/reg',
      '/idp/token',
      '/idp/token/revocation',
      '/idp/jwks',
    ])('lets a client in a browser use %s', async (path) => {
      const origin = 'http://localhost:6274';
      const headers = {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      };
      const preflight = await fetch(`${office.url}${path}`, { method: 'OPTIONS', headers });
      expect(preflight.status).toBe(204);
      expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
      const answer = await fetch(`${office.url}${path}`, { method: 'GET', headers: { origin } });
      expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    });

    it('lets no script of another origin read the authorization endpoint or the sign-in', async () => {
      for (const path of ['/idp/auth', '/sign-in/some']) {
        const response = await fetch(`${office.url}${path}`, { headers: { origin: 'https://evil.example' } });
        expect(response.headers.get('access-control-allow-origin')).toBeNull();
      }
    });
  });

  describe('registration', () => {
    it('gives a public client no secret and takes it for a native app when its redirect is one', async () => {
      const client = await office.register({
        redirect_uris: ['cursor://anysphere.cursor-retrieval/oauth/callback'],
      });
      expect(client).toMatchObject({
        application_type: 'native',
        grant_types: ['authorization_code', 'refresh_token'],
      });
      expect(client).not.toHaveProperty('client_secret');
    });

    it('takes an editor that registers for more than there is', async () => {
      const client = await office.register({
        redirect_uris: ['http://127.0.0.1:33418', 'https://vscode.dev/redirect'],
        grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
        scope: 'email:read something:unheard',
      });
      expect(client).toMatchObject({ grant_types: ['authorization_code', 'refresh_token'] });
      expect(client).not.toHaveProperty('scope');
    });

    it('gives a confidential client a secret that works', async () => {
      const client = await office.register({ token_endpoint_auth_method: 'client_secret_post' });
      expect(client.client_secret).toEqual(expect.any(String));
      const { tokens } = await office.signIn({ as: 'priya', scope: 'email:read', client });
      expect(tokens?.access_token).toEqual(expect.any(String));
    });

    it.each([
      [
        'an address that is neither https nor this machine',
        { redirect_uris: ['http://evil.example/callback'] },
      ],
      ['a script', { redirect_uris: ['javascript:alert(1)'] }],
      ['no redirect', { redirect_uris: [] }],
      ['client credentials', { redirect_uris: [], response_types: [], grant_types: ['client_credentials'] }],
    ])('refuses %s', async (_what, client) => {
      await expect(office.register(client)).rejects.toThrow();
    });
  });

  describe('the authorization code flow', () => {
    it.each(PEOPLE)(
      'gives $id a token that says who it is for and who calls',
      async ({ id, tenant, roles }) => {
        const { clientInformation, tokens } = await office.signIn({
          as: id,
          scope: 'email:read tasks:write',
        });
        const { payload, protectedHeader } = await verified(tokens?.access_token ?? '');
        expect(protectedHeader).toMatchObject({ typ: 'at+jwt', alg: 'ES256', kid: expect.any(String) });
        expect(payload).toMatchObject({
          iss: office.issuer,
          sub: id,
          aud: office.resource,
          client_id: clientInformation.client_id,
          scope: 'email:read tasks:write',
          tenant,
          roles,
          jti: expect.any(String),
          iat: expect.any(Number),
          auth_time: expect.any(Number),
        });
        expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(3600);
      },
    );

    it('sends the state and the issuer back with the code (RFC 9207)', async () => {
      const { callback } = await office.signIn({ as: 'priya', scope: 'email:read' });
      expect(Object.fromEntries(callback.searchParams)).toMatchObject({
        state: 'a state',
        iss: office.issuer,
      });
    });

    it('grants the scopes that were asked for and exist', async () => {
      const tokens = await tokensOf({ as: 'priya', scope: 'email:read world:domination' });
      expect(tokens.scope).toBe('email:read');
      expect(decodeJwt(tokens.access_token)['scope']).toBe('email:read');
    });

    it('tells the client when no scope it asked for exists', async () => {
      const { callback } = await office.signIn({ as: 'priya', scope: 'world:domination' });
      expect(callback.searchParams.get('error')).toBe('invalid_scope');
    });

    it('gives a client that asks for no scope a token without any', async () => {
      const tokens = await tokensOf({ as: 'lena' });
      const { payload } = await verified(tokens.access_token);
      expect(payload).toMatchObject({ sub: 'lena', tenant: 'acme' });
      expect(payload).not.toHaveProperty('scope');
    });

    it('lets a client that has one scope ask for another', async () => {
      const first = await office.signIn({ as: 'priya', scope: 'email:read' });
      const second = await office.signIn({
        as: 'priya',
        scope: 'email:read crm:read',
        client: first.clientInformation,
      });
      expect(second.tokens?.scope).toBe('email:read crm:read');
    });

    it('means this resource when the client names none', async () => {
      const tokens = await tokensOf({ as: 'priya', scope: 'email:read', resource: 'none' });
      expect((await verified(tokens.access_token)).payload.scope).toBe('email:read');
    });

    it('gives a token for another audience to whoever asks for one', async () => {
      const other = `${office.url}/other`;
      const tokens = await tokensOf({ as: 'priya', scope: 'email:read', resource: other });
      expect((await verified(tokens.access_token, other)).payload.aud).toBe(other);
      await expect(verified(tokens.access_token)).rejects.toThrow('aud');
    });

    it('knows no other resource', async () => {
      const { callback } = await office.signIn({
        as: 'priya',
        scope: 'email:read',
        resource: `${office.url}/else`,
      });
      expect(callback.searchParams.get('error')).toBe('invalid_target');
    });

    it('gives an ID token to a client that asks for one, of another type', async () => {
      const tokens = await tokensOf({ as: 'marco', scope: 'openid email:read' });
      expect(decodeJwt(tokens.id_token ?? '')).toMatchObject({
        sub: 'marco',
        tenant: 'acme',
        roles: ['agent:admin'],
      });
      expect(decodeProtectedHeader(tokens.id_token ?? '').typ).not.toBe('at+jwt');
      await expect(verified(tokens.id_token ?? '')).rejects.toThrow();
    });

    it('asks for a fresh sign-in when the client does (RFC 9470)', async () => {
      const { authorizationUrl } = await authorization({ scope: 'email:read' });
      authorizationUrl.searchParams.set('max_age', '60');
      const callback = await headlessSignIn(authorizationUrl, { as: 'priya' });
      expect(callback.searchParams.get('code')).toEqual(expect.any(String));
    });

    it('tells the client when the person denies', async () => {
      const { callback, tokens } = await office.signIn({ as: 'priya', scope: 'email:read', consent: 'deny' });
      expect(tokens).toBeUndefined();
      expect(Object.fromEntries(callback.searchParams)).toMatchObject({
        error: 'access_denied',
        state: 'a state',
      });
    });

    it.each([
      ['without a code challenge', undefined, undefined],
      ['with a plain code challenge', 'plain', 'a'.repeat(43)],
    ])('refuses a request %s', async (_what, method, challenge) => {
      const { authorizationUrl } = await authorization({ scope: 'email:read' });
      setOrDelete(authorizationUrl, { code_challenge_method: method, code_challenge: challenge });
      const callback = await headlessSignIn(authorizationUrl, { as: 'priya' });
      expect(callback.searchParams.get('error')).toBe('invalid_request');
      expect(callback.searchParams.has('code')).toBe(false);
    });

    it('refuses the code with another verifier', async () => {
      const { authorizationUrl, client } = await authorization({ scope: 'email:read' });
      const callback = await headlessSignIn(authorizationUrl, { as: 'priya' });
      const { status, body } = await post(endpoints.token(), {
        grant_type: 'authorization_code',
        client_id: client.client_id,
        code: callback.searchParams.get('code') ?? '',
        code_verifier: 'b'.repeat(43),
        redirect_uri: CALLBACK,
      });
      expect({ status, error: body?.['error'] }).toEqual({ status: 400, error: 'invalid_grant' });
    });

    it('sends nobody to an address that was not registered', async () => {
      const { authorizationUrl } = await authorization({ scope: 'email:read' });
      authorizationUrl.searchParams.set('redirect_uri', 'http://127.0.0.1:9/elsewhere');
      await expect(headlessSignIn(authorizationUrl, { as: 'priya' })).rejects.toMatchObject({
        code: 'invalid_redirect_uri',
      });
    });

    it('lets a native app use any port', async () => {
      const client = await office.register({ redirect_uris: ['http://127.0.0.1/callback'] });
      const redirectUrl = 'http://127.0.0.1:51234/callback';
      const { callback, tokens } = await office.signIn({
        as: 'priya',
        scope: 'email:read',
        client,
        redirectUrl,
      });
      expect(callback.port).toBe('51234');
      expect(tokens?.access_token).toEqual(expect.any(String));
    });

    it('lets a desktop client use its own scheme', async () => {
      const redirectUrl = 'cursor://anysphere.cursor-retrieval/oauth/callback';
      const client = await office.register({ redirect_uris: [redirectUrl] });
      const { tokens } = await office.signIn({ as: 'priya', scope: 'email:read', client, redirectUrl });
      expect(tokens?.access_token).toEqual(expect.any(String));
    });

    it('lets one browser be one person after another', async () => {
      const client = await office.register();
      const jar = new CookieJar();
      const subjects: unknown[] = [];
      for (const as of ['priya', 'priya', 'gus']) {
        const tokens = await tokensOf({ as, scope: 'email:read', client, jar });
        subjects.push(decodeJwt(tokens.access_token).sub);
      }
      expect(subjects).toEqual(['priya', 'priya', 'gus']);
    });

    it('knows nobody else', async () => {
      await expect(office.signIn({ as: 'mallory' })).rejects.toThrow(
        'There are priya, marco, lena, vera, gus.',
      );
    });

    it('serves a client known by its metadata document (CIMD)', async () => {
      const client = { client_id: 'https://agent.example/client.json' };
      const redirectUrl = 'http://127.0.0.1:40000/callback';
      const { tokens } = await office.signIn({ as: 'gus', scope: 'email:read', client, redirectUrl });
      expect((await verified(tokens?.access_token ?? '')).payload).toMatchObject({
        ...client,
        tenant: 'globex',
      });
      expect(tokens?.refresh_token).toEqual(expect.any(String));
    });

    it('knows no client whose document cannot be had', async () => {
      const client = { client_id: 'https://agent.example/missing.json' };
      await expect(office.signIn({ as: 'gus', client })).rejects.toMatchObject({ code: 'invalid_client' });
    });
  });

  describe('the pages', () => {
    it('show a client nothing of what it calls itself as markup, and who it is', async () => {
      const client = await office.register({ client_name: '<script>alert("x")</script> & Co' });
      const { authorizationUrl } = await authorization({ scope: 'email:read crm:write' }, client);
      const { page, headers } = await consentPage(authorizationUrl);
      expect(page).not.toContain('<script');
      expect(page).toContain('&#60;script&#62;');
      expect(page).toContain('self-reported and not verified');
      for (const shown of [
        'Priya Raman',
        office.resource,
        'Read your unread mail',
        'Change and delete',
        CALLBACK,
      ]) {
        expect(page).toContain(shown);
      }
      expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
      expect(headers.get('cache-control')).toBe('no-store');
    });

    it('belong to the browser that began the sign-in', async () => {
      const { authorizationUrl } = await authorization({ scope: 'email:read' });
      const { location } = await consentPage(authorizationUrl);
      for (const [path, method] of [
        ['', 'GET'],
        ['/allow', 'POST'],
        ['/deny', 'POST'],
        ['/as/marco', 'POST'],
      ]) {
        const response = await fetch(`${location}${path}`, { method, redirect: 'manual' });
        expect(response.status).toBe(400);
      }
    });

    it('take no choice from another site, and none out of turn', async () => {
      const { authorizationUrl } = await authorization({ scope: 'email:read' });
      const { location, cookie } = await consentPage(authorizationUrl);
      const send = (path: string, headers: Record<string, string>) =>
        fetch(`${location}${path}`, { method: 'POST', redirect: 'manual', headers: { cookie, ...headers } });
      expect((await send('/allow', { origin: 'https://evil.example' })).status).toBe(403);
      expect((await send('/as/marco', { origin: office.url })).status).toBe(400);
      expect((await send('/allow', { origin: office.url })).status).toBe(303);
    });
  });

  describe('refresh and revocation', () => {
    async function refresh(client: { client_id: string }, refreshToken: string, scope?: string) {
      const metadata = await office.metadata();
      return refreshAuthorization(office.issuer, {
        metadata,
        clientInformation: client,
        refreshToken,
        ...(scope === undefined ? {} : { scope }),
      });
    }

    it('exchanges a refresh token once, for a new pair', async () => {
      const { clientInformation: client, tokens } = await office.signIn({
        as: 'priya',
        scope: 'email:read tasks:write',
      });
      const old = tokens?.refresh_token ?? '';
      const fresh = await refresh(client, old);
      expect(fresh.refresh_token).not.toBe(old);
      expect((await verified(fresh.access_token)).payload).toMatchObject({
        sub: 'priya',
        roles: ['agent:contributor'],
      });
      await expect(refresh(client, old)).rejects.toThrow();
      await expect(refresh(client, fresh.refresh_token ?? '')).rejects.toThrow();
    });

    it('narrows the scopes and never widens them', async () => {
      const { clientInformation: client, tokens } = await office.signIn({
        as: 'priya',
        scope: 'email:read tasks:write',
      });
      const narrow = await refresh(client, tokens?.refresh_token ?? '', 'email:read');
      expect((await verified(narrow.access_token)).payload.scope).toBe('email:read');
      await expect(refresh(client, narrow.refresh_token ?? '', 'email:read crm:write')).rejects.toThrow();
    });

    it('gives no refresh token to a client that did not register for it', async () => {
      const client = await office.register({ grant_types: ['authorization_code'] });
      expect((await tokensOf({ as: 'priya', scope: 'email:read', client })).refresh_token).toBeUndefined();
    });

    it('revokes a refresh token', async () => {
      const { clientInformation: client, tokens } = await office.signIn({ as: 'priya', scope: 'email:read' });
      const form = { token: tokens?.refresh_token ?? '', client_id: client.client_id };
      expect((await post(endpoints.introspection(), form)).body).toMatchObject({
        active: true,
      });
      expect((await post(endpoints.revocation(), form)).status).toBe(200);
      expect((await post(endpoints.introspection(), form)).body).toEqual({ active: false });
      await expect(refresh(client, form.token)).rejects.toThrow();
    });

    it('revokes nothing for another client', async () => {
      const { clientInformation: client, tokens } = await office.signIn({ as: 'priya', scope: 'email:read' });
      const { client_id } = await office.register();
      await post(endpoints.revocation(), { token: tokens?.refresh_token ?? '', client_id });
      expect((await refresh(client, tokens?.refresh_token ?? '')).access_token).toEqual(expect.any(String));
    });
  });

  describe('the token command', () => {
    async function run(parameters: readonly string[], environment: Record<string, string> = {}) {
      const output = { out: '', error: '' };
      const code = await runTokenCommand(['--url', office.url, ...parameters], {
        environment: { DATA_DIR: office.dataDirectory, ...environment },
        out: (text) => (output.out += text),
        error: (text) => (output.error += text),
      });
      return { code, ...output };
    }

    it('prints a token of a person and nothing else', async () => {
      const { code, error, out } = await run(['--as', 'priya', '--scope', 'email:read tasks:write']);
      expect({ code, error }).toEqual({ code: 0, error: '' });
      expect((await verified(out.trimEnd())).payload).toMatchObject({
        sub: 'priya',
        scope: 'email:read tasks:write',
      });
    });

    it('asks for the scopes the resource suggests when none is named', async () => {
      expect(decodeJwt((await run(['--as', 'lena'])).out)).toMatchObject({
        sub: 'lena',
        scope: 'email:read',
      });
    });

    it('prints a token of the research agent, which has no person behind it', async () => {
      const { code, out } = await run(['--as', 'research-agent', '--scope', 'crm:read']);
      expect(code).toBe(0);
      expect((await verified(out.trimEnd())).payload).toMatchObject({
        sub: 'research-agent',
        client_id: 'research-agent',
        tenant: 'acme',
        roles: ['agent:read-only'],
        scope: 'crm:read',
      });
    });

    it('prints a token for another audience', async () => {
      const { out } = await run([
        '--as',
        'priya',
        '--scope',
        'email:read',
        '--resource',
        `${office.url}/other`,
      ]);
      expect(decodeJwt(out).aud).toBe(`${office.url}/other`);
    });

    it('prints the whole answer as JSON', async () => {
      const { out } = await run(['--as', 'priya', '--scope', 'email:read', '--json']);
      expect(JSON.parse(out)).toMatchObject({ token_type: 'Bearer', expires_in: 3600, scope: 'email:read' });
    });

    it.each([
      ['an unknown person', ['--as', 'mallory'], /"mallory".*\n.*priya \(acme, agent:contributor\)/],
      [
        'an unknown scope',
        ['--as', 'priya', '--scope', 'email:read world:domination'],
        /no scope "world:domination".*email:send/,
      ],
      [
        'an unknown audience',
        ['--as', 'priya', '--resource', 'https://other.example'],
        /the resource here is/,
      ],
      ['an unreachable server', ['--as', 'priya', '--url', 'http://127.0.0.1:1'], /npm start/],
      ['no address', ['--as', 'priya', '--url', 'nonsense'], /"nonsense" is no address/],
      ['nobody', [], /--as/],
    ])('says what is wrong with %s', async (_what, parameters, sentence) => {
      const { code, error, out } = await run(parameters);
      expect({ code, out }).toEqual({ code: 1, out: '' });
      expect(error).toMatch(sentence);
    });

    it('says where the secret of the research agent is looked for, and shows a wrong one to nobody', async () => {
      const missing = await run(['--as', 'research-agent'], { DATA_DIR: newDataDirectory() });
      expect(missing.error).toMatch(/secret of research-agent is not in/);
      const wrong = await run(['--as', 'research-agent'], { RESEARCH_AGENT_SECRET: 'not-the-secret' });
      expect(wrong).toMatchObject({ code: 1, out: '' });
      expect(wrong.error).not.toContain('not-the-secret');
    });
  });

  async function authorization({ scope }: { scope: string }, registered?: { client_id: string }) {
    const client = registered ?? (await office.register());
    const started = await startAuthorization(office.issuer, {
      metadata: await office.metadata(),
      clientInformation: client,
      redirectUrl: CALLBACK,
      scope,
      resource: office.resource,
    });
    return { ...started, client };
  }

  /** Goes to the consent page by hand, as priya. */
  async function consentPage(authorizationUrl: URL) {
    const jar = new CookieJar();
    const go = async (url: URL, method: 'GET' | 'POST' = 'GET') => {
      const response = await fetch(url, {
        method,
        redirect: 'manual',
        headers: { cookie: jar.header(url) ?? '' },
      });
      jar.store(response.headers);
      return { response, next: new URL(response.headers.get('location') ?? url, url) };
    };
    const { next: signIn } = await go(authorizationUrl);
    const { next: resume } = await go(new URL(`${signIn.href}/as/priya`), 'POST');
    const { next: consent } = await go(resume);
    const { response } = await go(consent);
    return {
      page: await response.text(),
      headers: response.headers,
      location: consent.href,
      cookie: jar.header(consent) ?? '',
    };
  }
});

describe('A process with the development provider', () => {
  it('keeps its keys, its clients and its refresh tokens over a restart', async () => {
    const first = await ProviderProcess.start();
    const { clientInformation, tokens } = await first.signIn({ as: 'priya', scope: 'email:read' });
    await first.stop();
    const second = await ProviderProcess.start({
      port: Number(new URL(first.url).port),
      dataDirectory: first.dataDirectory,
    });
    try {
      const keys = createRemoteJWKSet(new URL(`${second.issuer}/jwks`));
      const { payload } = await jwtVerify(tokens?.access_token ?? '', keys, { audience: first.resource });
      expect(payload.sub).toBe('priya');
      const metadata = await second.metadata();
      const refreshToken = tokens?.refresh_token ?? '';
      await refreshAuthorization(second.issuer, { metadata, clientInformation, refreshToken });
      await second.signIn({ as: 'priya', scope: 'email:read', client: clientInformation });
    } finally {
      await second.stop();
    }
  });

  it('writes files that only their owner reads', async () => {
    const office = await ProviderProcess.start();
    await office.signIn({ as: 'priya', scope: 'email:read' });
    const files = readdirSync(office.dataDirectory);
    expect(files).toEqual(
      expect.arrayContaining([
        'development-provider.keys.json',
        'development-provider.sqlite',
        'research-agent.secret',
      ]),
    );
    for (const file of files) expect(statSync(join(office.dataDirectory, file)).mode & 0o777).toBe(0o600);
    await office.stop();
  });

  it('gives tokens the configured life', async () => {
    const office = await ProviderProcess.start({ tokenSeconds: 2 });
    const { tokens } = await office.signIn({ as: 'priya', scope: 'email:read' });
    const { exp = 0, iat = 0 } = decodeJwt(tokens?.access_token ?? '');
    expect(exp - iat).toBe(2);
    await office.stop();
  });

  it('fetches no client document from this machine unless it is told how', async () => {
    const office = await ProviderProcess.start();
    const client = { client_id: `https://127.0.0.1:${new URL(office.url).port}/client.json` };
    await expect(office.signIn({ as: 'priya', client })).rejects.toMatchObject({ code: 'invalid_client' });
    await office.stop();
  });

  it('needs no HTTP', async () => {
    const dataDirectory = newDataDirectory();
    const module = DevelopmentProviderModule.forRoot({ publicUrl: 'http://127.0.0.1:3000', dataDirectory });
    const context = await NestFactory.createApplicationContext(module, {
      logger: false,
      abortOnError: false,
    });
    await context.close();
    expect(readdirSync(dataDirectory)).toContain('development-provider.keys.json');
  });

  it.each([
    ['a path', { publicUrl: 'http://127.0.0.1:3000/office' }, 'publicUrl must be an origin without a path'],
    ['a resource that is no address', { resource: 'mcp' }, 'A resource must be an absolute URL'],
    ['a token that is never good', { tokenSeconds: 0 }, 'tokenSeconds must be a whole number'],
  ])('does not boot with %s', async (_what, options, sentence) => {
    const dataDirectory = newDataDirectory();
    await expect(ProviderProcess.start({ dataDirectory, ...options })).rejects.toThrow(sentence);
    expect(readdirSync(dataDirectory)).toEqual([]);
  });

  it('does not boot in production', async () => {
    const dataDirectory = newDataDirectory();
    const before = process.env['NODE_ENV'];
    process.env['NODE_ENV'] = 'production';
    try {
      await expect(ProviderProcess.start({ dataDirectory })).rejects.toThrow(
        'refused when NODE_ENV is "production"',
      );
    } finally {
      process.env['NODE_ENV'] = before;
    }
    expect(readdirSync(dataDirectory)).toEqual([]);
  });
});

/** The web, as far as these tests need it: one client publishes its document. */
async function fetchDocuments(input: string | URL | Request): Promise<Response> {
  const url = input instanceof Request ? input.url : input.toString();
  if (url !== 'https://agent.example/client.json') return new Response('Not found', { status: 404 });
  return Response.json({
    client_id: url,
    client_name: 'An agent with a home page',
    redirect_uris: ['http://127.0.0.1/callback'],
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    token_endpoint_auth_method: 'none',
  });
}

function setOrDelete(url: URL, parameters: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
}

/** `fetch` does not let one lie about the host. */
async function statusWithHost(url: string, host: string): Promise<number | undefined> {
  const request = get(url, { headers: { host } });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}
