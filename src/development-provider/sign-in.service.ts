import type { IncomingMessage, ServerResponse } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import type { InteractionResults, default as Provider } from 'oidc-provider';
import * as z from 'zod';
import { DevelopmentProvider } from './development-provider.js';
import { consentPage, personPage, problemPage } from './pages.js';
import type { ClientOnPage } from './pages.js';
import { findPerson } from './people.js';

/** One request of the browser for one sign-in. */
export interface SignInRequest {
  readonly uid: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** What the browser gets: a page, or the way on. */
export type SignInStep = { readonly status: number; readonly page: string } | { readonly redirect: string };

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;

const strings = z.array(z.string());
const asked = z.object({
  client_id: z.string(),
  redirect_uri: z.string(),
  scope: z.string().default(''),
  resource: z.union([z.string().transform((resource) => [resource]), strings]).default([]),
});
const missing = z.object({
  missingOIDCScope: strings.default([]),
  missingResourceScopes: z.record(z.string(), strings).default({}),
});

const EXPIRED: SignInStep = {
  status: 400,
  page: problemPage(
    'This sign-in is over',
    'It was finished or has expired. Go back to your client and connect again.',
  ),
};

/** The two steps of a sign-in: who is it, and may the client. */
@Injectable()
export class SignInService {
  constructor(@Inject(DevelopmentProvider) private readonly provider: DevelopmentProvider) {}

  /** The page of the step the sign-in is at. */
  async show(call: SignInRequest): Promise<SignInStep> {
    const interaction = await this.find(call);
    if (interaction === undefined) return EXPIRED;
    const { scope } = asked.parse(interaction.params);
    if (this.supported(scope).length === 0) return this.refuseScope(call, scope);
    return interaction.prompt.name === 'login' ? this.askPerson(interaction) : this.askConsent(interaction);
  }

  /** The person of page 1. */
  async choose(call: SignInRequest, id: string): Promise<SignInStep> {
    const interaction = await this.find(call, 'login');
    if (interaction === undefined) return EXPIRED;
    const person = findPerson(id);
    if (person === undefined) {
      return {
        status: 404,
        page: problemPage('Nobody has this name here', 'Go back and choose one of the people.'),
      };
    }
    return this.finish(call, { login: { accountId: person.id, ts: Math.floor(Date.now() / 1000) } });
  }

  /** Allow of page 2: grants what the page has shown, and nothing else. */
  async allow(call: SignInRequest): Promise<SignInStep> {
    const interaction = await this.find(call, 'consent');
    if (interaction === undefined) return EXPIRED;
    return this.finish(call, { consent: { grantId: await this.grant(interaction) } });
  }

  /** Deny of page 2. */
  async deny(call: SignInRequest): Promise<SignInStep> {
    const interaction = await this.find(call, 'consent');
    if (interaction === undefined) return EXPIRED;
    return this.finish(call, { error: 'access_denied', error_description: 'the person did not allow it' });
  }

  private async find(
    { uid, request, response }: SignInRequest,
    step?: string,
  ): Promise<Interaction | undefined> {
    const { errors } = await import('oidc-provider');
    try {
      const interaction = await this.provider.oidc.interactionDetails(request, response);
      const matches = interaction.uid === uid && (step === undefined || interaction.prompt.name === step);
      return matches ? interaction : undefined;
    } catch (error) {
      if (error instanceof errors.SessionNotFound) return undefined;
      throw error;
    }
  }

  private async finish(
    { request, response }: SignInRequest,
    result: InteractionResults,
  ): Promise<SignInStep> {
    return { redirect: await this.provider.oidc.interactionResult(request, response, result) };
  }

  private refuseScope(call: SignInRequest, scope: string): Promise<SignInStep> {
    const description = `none of these scopes is known here: ${scope}`;
    return this.finish(call, { error: 'invalid_scope', error_description: description });
  }

  private supported(scope: string): string[] {
    const known = new Set(['openid', 'offline_access', ...this.provider.settings.scopes]);
    return scope.split(' ').filter((name) => known.has(name));
  }

  private async askPerson(interaction: Interaction): Promise<SignInStep> {
    return { status: 200, page: personPage(interaction.uid, await this.clientOf(interaction)) };
  }

  private async askConsent(interaction: Interaction): Promise<SignInStep> {
    const person = findPerson(interaction.session?.accountId ?? '');
    if (person === undefined) return EXPIRED;
    const { resource: resources, scope } = asked.parse(interaction.params);
    const client = await this.clientOf(interaction);
    const scopes = this.supported(scope);
    return { status: 200, page: consentPage({ uid: interaction.uid, client, person, resources, scopes }) };
  }

  private async clientOf(interaction: Interaction): Promise<ClientOnPage> {
    const { client_id: id, redirect_uri: redirectUri } = asked.parse(interaction.params);
    const client = await this.provider.oidc.Client.find(id);
    const documentHost = URL.canParse(id) ? new URL(id).host : undefined;
    return { id, name: client?.clientName, redirectUri, documentHost };
  }

  private async grant({ grantId, session, params, prompt }: Interaction): Promise<string> {
    const { Grant } = this.provider.oidc;
    const known = grantId === undefined ? undefined : await Grant.find(grantId);
    const { client_id: clientId } = asked.parse(params);
    const grant = known ?? new Grant({ accountId: session?.accountId, clientId });
    const { missingOIDCScope, missingResourceScopes } = missing.parse(prompt.details);
    if (missingOIDCScope.length > 0) grant.addOIDCScope(missingOIDCScope.join(' '));
    for (const [resource, scopes] of Object.entries(missingResourceScopes)) {
      grant.addResourceScope(resource, scopes.join(' '));
    }
    return grant.save();
  }
}
