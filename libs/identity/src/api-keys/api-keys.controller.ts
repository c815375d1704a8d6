import { Controller, Inject, Post, Req, Res, VERSION_NEUTRAL, type Type } from '@nestjs/common';
import { writeResponse, type PlatformRequest, type PlatformResponse } from '@sallyport/mcp';
import { ApiKeysEndpoint } from './api-keys.endpoint.js';

/** The endpoints at a configured path. */
export function createApiKeysController(path: string): Type<unknown> {
  @Controller({ path, version: VERSION_NEUTRAL })
  class ApiKeysController {
    constructor(@Inject(ApiKeysEndpoint) private readonly endpoint: ApiKeysEndpoint) {}

    @Post()
    async issue(@Req() request: PlatformRequest, @Res() response: PlatformResponse): Promise<void> {
      await writeResponse(response, await this.endpoint.answer(request, 'issue'));
    }

    @Post('list')
    async list(@Req() request: PlatformRequest, @Res() response: PlatformResponse): Promise<void> {
      await writeResponse(response, await this.endpoint.answer(request, 'list'));
    }

    @Post('rotate')
    async rotate(@Req() request: PlatformRequest, @Res() response: PlatformResponse): Promise<void> {
      await writeResponse(response, await this.endpoint.answer(request, 'rotate'));
    }

    @Post('revoke')
    async revoke(@Req() request: PlatformRequest, @Res() response: PlatformResponse): Promise<void> {
      await writeResponse(response, await this.endpoint.answer(request, 'revoke'));
    }

    @Post('report')
    async report(@Req() request: PlatformRequest, @Res() response: PlatformResponse): Promise<void> {
      await writeResponse(response, await this.endpoint.answer(request, 'report'));
    }
  }
  return ApiKeysController;
}
