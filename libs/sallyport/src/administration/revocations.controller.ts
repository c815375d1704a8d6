import { Controller, Inject, Post, Req, Res, VERSION_NEUTRAL, type Type } from '@nestjs/common';
import { writeResponse, type PlatformRequest, type PlatformResponse } from '@sallyport/mcp';
import { RevocationsEndpoint } from './revocations.endpoint.js';

/** The endpoints at a configured path. */
export function createRevocationsController(path: string): Type<unknown> {
  @Controller({ path, version: VERSION_NEUTRAL })
  class RevocationsController {
    constructor(@Inject(RevocationsEndpoint) private readonly endpoint: RevocationsEndpoint) {}

    @Post()
    async add(@Req() request: PlatformRequest, @Res() response: PlatformResponse): Promise<void> {
      await writeResponse(response, await this.endpoint.answer(request, 'add'));
    }

    @Post('lift')
    async lift(@Req() request: PlatformRequest, @Res() response: PlatformResponse): Promise<void> {
      await writeResponse(response, await this.endpoint.answer(request, 'lift'));
    }

    @Post('list')
    async list(@Req() request: PlatformRequest, @Res() response: PlatformResponse): Promise<void> {
      await writeResponse(response, await this.endpoint.answer(request, 'list'));
    }
  }
  return RevocationsController;
}
