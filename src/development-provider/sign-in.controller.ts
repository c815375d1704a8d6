import { Controller, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DevelopmentProvider } from './development-provider.js';
import { PAGE_HEADERS, problemPage } from './pages.js';
import { SignInService } from './sign-in.service.js';
import type { SignInStep } from './sign-in.service.js';

/**
 * The pages between the authorization request and its answer. The cookie of `oidc-provider` binds a sign-in to the
 * browser that began it; it is `SameSite=Lax`, so no form on another site can send it.
 */
@Controller('sign-in/:uid')
export class SignInController {
  constructor(
    @Inject(DevelopmentProvider) private readonly provider: DevelopmentProvider,
    @Inject(SignInService) private readonly signIn: SignInService,
  ) {}

  @Get()
  async show(
    @Param('uid') uid: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    send(reply, await this.signIn.show({ uid, request: request.raw, response: reply.raw }));
  }

  @Post('as/:person')
  async choose(
    @Param('uid') uid: string,
    @Param('person') person: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (this.isForeign(request)) return send(reply, FOREIGN);
    send(reply, await this.signIn.choose({ uid, request: request.raw, response: reply.raw }, person));
  }

  @Post('allow')
  async allow(
    @Param('uid') uid: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (this.isForeign(request)) return send(reply, FOREIGN);
    send(reply, await this.signIn.allow({ uid, request: request.raw, response: reply.raw }));
  }

  @Post('deny')
  async deny(
    @Param('uid') uid: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (this.isForeign(request)) return send(reply, FOREIGN);
    send(reply, await this.signIn.deny({ uid, request: request.raw, response: reply.raw }));
  }

  /** Browsers say where a form was sent from. A caller without `Origin` is not a browser. */
  private isForeign({ headers }: FastifyRequest): boolean {
    return headers.origin !== undefined && headers.origin !== this.provider.settings.publicUrl.origin;
  }
}

const FOREIGN: SignInStep = {
  status: 403,
  page: problemPage('This was sent from another site', 'Go back to your client and connect again.'),
};

function send(reply: FastifyReply, step: SignInStep): void {
  if ('redirect' in step) void reply.redirect(step.redirect, 303);
  else void reply.code(step.status).headers(PAGE_HEADERS).send(step.page);
}
