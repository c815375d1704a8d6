import {
  Catch,
  Controller,
  Delete,
  Get,
  HttpException,
  Inject,
  Logger,
  Post,
  Req,
  Res,
  UseFilters,
  UseGuards,
  UseInterceptors,
  VERSION_NEUTRAL,
  type ArgumentsHost,
  type CanActivate,
  type ExceptionFilter,
  type NestInterceptor,
  type Type,
} from '@nestjs/common';
import { internalError, RefusalException } from '../gate/refusal.js';
import { HttpGateway, UnreadableException, type PlatformRequest } from './http-gateway.js';
import type { PlatformResponse } from './write-response.js';
import { stackOf } from '../stack-of.js';

/** Turns whatever leaves the guard, the interceptor or the controller into an answer. Unknown errors say nothing. */
@Catch()
export class McpExceptionFilter implements ExceptionFilter {
  readonly #logger = new Logger('Sallyport');

  constructor(@Inject(HttpGateway) private readonly gateway: HttpGateway) {}

  async catch(exception: unknown, host: ArgumentsHost): Promise<void> {
    const http = host.switchToHttp();
    const request = http.getRequest<PlatformRequest>();
    const response = http.getResponse<PlatformResponse>();
    if (exception instanceof UnreadableException)
      return this.gateway.answerUnreadable(response, exception.unreadable);
    if (exception instanceof RefusalException)
      return this.gateway.refuse(request, response, exception.refusal);
    if (exception instanceof HttpException && exception.getStatus() < 500) {
      // An application-wide guard of the application's own, such as a throttler: its word stands.
      return this.gateway.answerUnreadable(response, {
        kind: 'unreadable',
        status: exception.getStatus(),
        id: null,
        error: { code: -32000, message: exception.message },
      });
    }
    this.#logger.error('An exchange failed.', stackOf(exception));
    return this.gateway.refuse(request, response, internalError());
  }
}

/**
 * The endpoint: a controller at a configured path, with the guard that identifies and the interceptor that decides.
 * They are bound to the controller itself, never to a path, so there is no spelling of a path that goes around them.
 */
export function createMcpController(
  path: string,
  guard: Type<CanActivate>,
  interceptor: Type<NestInterceptor>,
): Type<unknown> {
  @Controller({ path, version: VERSION_NEUTRAL })
  @UseFilters(McpExceptionFilter)
  @UseGuards(guard)
  @UseInterceptors(interceptor)
  class McpController {
    constructor(@Inject(HttpGateway) private readonly gateway: HttpGateway) {}

    @Post()
    async serve(@Req() request: PlatformRequest, @Res() response: PlatformResponse): Promise<void> {
      await this.gateway.dispatch(request, response);
    }

    /** The stream of a session. Where there are none, the limits of arrival have answered 405. */
    @Get()
    async stream(@Req() request: PlatformRequest, @Res() response: PlatformResponse): Promise<void> {
      await this.gateway.dispatch(request, response);
    }

    /** The end of a session. */
    @Delete()
    async end(@Req() request: PlatformRequest, @Res() response: PlatformResponse): Promise<void> {
      await this.gateway.dispatch(request, response);
    }
  }
  return McpController;
}
