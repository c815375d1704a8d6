import {
  Injectable,
  Logger,
  Module,
  type CanActivate,
  type INestApplication,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Authenticator, Challenger } from '@sallyport/mcp';
import { map } from 'rxjs';
import { IdentityModule } from '../identity.module.js';
import { oidc } from '../jwt/oidc.source.js';
import { RESOURCE } from '../jwt/local-issuer.fixture.js';
import { resourceMetadataPaths, resourceMetadataUrl } from './resource-metadata.js';
import { ResourceChallenger } from './resource.challenger.js';

const options = {
  sources: [oidc({ issuer: 'https://id.acme.example' }), oidc({ issuer: 'https://id.other.example/' })],
  resource: RESOURCE,
  serverName: 'Acme assistant',
  scopesSupported: ['crm:read', 'offline_access'],
};
const ROOT = '/.well-known/oauth-protected-resource';

@Injectable()
class RefuseAll implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

@Injectable()
class WrapAll implements NestInterceptor {
  intercept: NestInterceptor['intercept'] = (_context, next) =>
    next.handle().pipe(map((data: unknown) => ({ data })));
}

@Module({
  imports: [IdentityModule.registerAsync({ useFactory: () => options })],
  providers: [
    { provide: APP_GUARD, useClass: RefuseAll },
    { provide: APP_INTERCEPTOR, useClass: WrapAll },
  ],
})
class App {}

beforeAll(() => Logger.overrideLogger(false));

describe.each([
  ['Express', () => NestFactory.create(App, new ExpressAdapter(), { logger: false })],
  ['Fastify', () => NestFactory.create(App, new FastifyAdapter(), { logger: false })],
])('resource metadata on %s', (_platform, create) => {
  let app: INestApplication;
  let origin: string;

  beforeAll(async () => {
    app = await create();
    app.setGlobalPrefix('api');
    await app.listen(0, '127.0.0.1');
    origin = await app.getUrl();
  });
  afterAll(() => app.close());

  it.each([`${ROOT}/mcp`, ROOT])(
    'is served at %s, whatever prefix, guard and interceptor the application has',
    async (path) => {
      const response = await fetch(origin + path);
      expect(response.status).toBe(200);
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      expect(response.headers.get('cache-control')).toBe('public, max-age=3600');
      expect(response.headers.get('content-type')).toMatch(/^application\/json/);
      await expect(response.json()).resolves.toEqual({
        resource: RESOURCE,
        authorization_servers: ['https://id.acme.example', 'https://id.other.example/'],
        scopes_supported: ['crm:read'],
        bearer_methods_supported: ['header'],
        resource_name: 'Acme assistant',
      });
    },
  );

  it('answers a preflight, since browser clients send MCP-Protocol-Version', async () => {
    const response = await fetch(`${origin}${ROOT}/mcp`, { method: 'OPTIONS' });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-headers')).toBe('*');
  });

  it('is not served elsewhere', async () => {
    expect((await fetch(`${origin}/api${ROOT}`)).status).toBe(404);
    expect((await fetch(`${origin}${ROOT}/other`)).status).toBe(404);
  });

  it('comes with the ports', () => {
    expect(app.get(Authenticator)).toBeInstanceOf(Authenticator);
    expect(app.get(Challenger)).toBeInstanceOf(ResourceChallenger);
  });
});

it('needs no HTTP server', async () => {
  const context = await NestFactory.createApplicationContext(App, { logger: false });
  await expect(context.get(Authenticator).authenticate({ headers: {}, via: 'stdio' })).resolves.toEqual({
    kind: 'anonymous',
  });
  await context.close();
});

it.each([
  ['https://mcp.acme.example/mcp', `https://mcp.acme.example${ROOT}/mcp`],
  ['https://mcp.acme.example', `https://mcp.acme.example${ROOT}`],
  ['https://mcp.acme.example/', `https://mcp.acme.example${ROOT}`],
  ['https://mcp.acme.example:8443/a/mcp?x=1', `https://mcp.acme.example:8443${ROOT}/a/mcp?x=1`],
])('the metadata of %s is at %s', (resource, url) => {
  expect(resourceMetadataUrl(resource)).toBe(url);
});

it.each(['mcp', '/:id', '/*', '/a{b}', '/a//b', '/a b', '/(x)'])(
  'refuses to serve below the path %s',
  (path) => {
    expect(() => resourceMetadataPaths(path)).toThrow(TypeError);
  },
);

it('serves one path when the endpoint is at the root', () => {
  expect(resourceMetadataPaths('/')).toEqual([ROOT]);
});

describe('a challenge', () => {
  const challenger = new ResourceChallenger(RESOURCE);
  const metadata = `resource_metadata="https://mcp.acme.example${ROOT}/mcp"`;

  it('without credential names no error', () => {
    expect(challenger.challenge(['crm:read', 'crm:write'])).toEqual({
      header: `Bearer ${metadata}, scope="crm:read crm:write"`,
      resourceMetadata: `https://mcp.acme.example${ROOT}/mcp`,
    });
  });

  it('without scopes names none', () => {
    expect(challenger.challenge([]).header).toBe(`Bearer ${metadata}`);
  });

  it.each(['invalid_token', 'insufficient_scope'] as const)('says %s', (error) => {
    expect(challenger.challenge(['crm:read'], error).header).toMatch(
      new RegExp(
        `^Bearer resource_metadata="[^"]+", scope="crm:read", error="${error}", error_description="[^"]+"$`,
      ),
    );
  });

  it('says how the user must sign in (RFC 9470 §3)', () => {
    const { header } = challenger.challenge(['crm:read'], 'insufficient_user_authentication', {
      maxAge: 900,
      acr: ['phr', 'phrh'],
    });
    expect(header).toMatch(
      /scope="crm:read", error="insufficient_user_authentication", error_description="[^"]+", acr_values="phr phrh", max_age="900"$/,
    );
  });

  it('holds nothing that could end a string or a header', () => {
    const header = challenger.challenge([
      'ok',
      'a"b',
      'c\\d',
      'e\r\nX: y',
      'f g',
      'ü',
      'offline_access',
    ]).header;
    expect(header).toBe(`Bearer ${metadata}, scope="ok"`);
  });
});
