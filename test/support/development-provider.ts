import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  discoverAuthorizationServerMetadata,
  exchangeAuthorization,
  registerClient,
  startAuthorization,
} from '@modelcontextprotocol/client';
import type {
  AuthorizationServerMetadata,
  OAuthClientInformationMixed,
  OAuthClientMetadata,
  OAuthTokens,
} from '@modelcontextprotocol/client';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DevelopmentProviderModule } from '../../src/development-provider/development-provider.module.js';
import type { DevelopmentProviderOptions } from '../../src/development-provider/development-provider.options.js';
import { headlessSignIn } from '../../src/development-provider/headless-sign-in.js';
import type { HeadlessSignInOptions } from '../../src/development-provider/headless-sign-in.js';
import { freePort } from './free-port.js';

/** An empty data directory. */
export function newDataDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'sallyport-provider-'));
}

/** Where a client of these tests is sent back to. Nothing listens there. */
export const CALLBACK = 'http://127.0.0.1:9/callback';

/** After a restart on the same port `fetch` first finds out that the connections it kept are gone. */
async function forgetOldConnections(url: string): Promise<void> {
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const answer = await fetch(url).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer !== undefined) return;
  }
}

/** A process with the development provider and nothing else, but for the resource metadata that leads to it. */
export class ProviderProcess {
  private constructor(
    readonly url: string,
    readonly dataDirectory: string,
    private readonly app: NestFastifyApplication,
  ) {}

  static async start(
    options: Partial<DevelopmentProviderOptions> & { port?: number } = {},
  ): Promise<ProviderProcess> {
    const { port = await freePort(), dataDirectory = newDataDirectory(), ...others } = options;
    const url = `http://127.0.0.1:${port}`;
    const module = officeModule({ publicUrl: url, dataDirectory, ...others });
    const app = await NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter(), {
      logger: false,
      abortOnError: false,
    });
    await app.listen(port, '127.0.0.1');
    await forgetOldConnections(url);
    return new ProviderProcess(url, dataDirectory, app);
  }

  get resource(): string {
    return `${this.url}/mcp`;
  }

  get issuer(): string {
    return `${this.url}/idp`;
  }

  async metadata(): Promise<AuthorizationServerMetadata> {
    const metadata = await discoverAuthorizationServerMetadata(this.issuer);
    if (metadata === undefined) throw new Error('The provider publishes no metadata.');
    return metadata;
  }

  async register(client: Partial<OAuthClientMetadata> = {}): Promise<OAuthClientInformationMixed> {
    return registerClient(this.issuer, {
      metadata: await this.metadata(),
      clientMetadata: {
        client_name: 'A test',
        redirect_uris: [CALLBACK],
        token_endpoint_auth_method: 'none',
        ...client,
      },
    });
  }

  /** One whole authorization code flow. */
  async signIn(request: SignInRequest): Promise<SignedIn> {
    const metadata = await this.metadata();
    const clientInformation = request.client ?? (await this.register());
    const redirectUrl = request.redirectUrl ?? CALLBACK;
    const resource = request.resource ?? this.resource;
    const flow = { metadata, clientInformation, ...(resource === 'none' ? {} : { resource }) };
    const { scope } = request;
    const started = await startAuthorization(this.issuer, {
      ...flow,
      redirectUrl,
      state: 'a state',
      ...(scope === undefined ? {} : { scope }),
    });
    const callback = await headlessSignIn(started.authorizationUrl, request);
    const { code, iss } = Object.fromEntries(callback.searchParams);
    if (code === undefined || iss === undefined) return { callback, clientInformation, tokens: undefined };
    const tokens = await exchangeAuthorization(this.issuer, {
      ...flow,
      authorizationCode: code,
      codeVerifier: started.codeVerifier,
      redirectUri: redirectUrl,
      iss,
    });
    return { callback, clientInformation, tokens };
  }

  async stop(): Promise<void> {
    await this.app.close();
  }
}

export interface SignInRequest extends HeadlessSignInOptions {
  readonly scope?: string;
  /** `none` leaves the parameter out, as clients of the 2025-03 revision do. */
  readonly resource?: string;
  readonly client?: OAuthClientInformationMixed;
  readonly redirectUrl?: string;
}

export interface SignedIn {
  readonly callback: URL;
  readonly clientInformation: OAuthClientInformationMixed;
  /** `undefined` when the client was sent back without a code. */
  readonly tokens: OAuthTokens | undefined;
}

function officeModule(options: DevelopmentProviderOptions) {
  @Controller('.well-known/oauth-protected-resource')
  class ResourceMetadataStandIn {
    @Get('mcp')
    metadata() {
      const { publicUrl } = options;
      return {
        resource: `${publicUrl}/mcp`,
        authorization_servers: [`${publicUrl}/idp`],
        scopes_supported: ['email:read'],
      };
    }
  }

  @Module({ imports: [DevelopmentProviderModule.forRoot(options)], controllers: [ResourceMetadataStandIn] })
  class Office {}

  return Office;
}
