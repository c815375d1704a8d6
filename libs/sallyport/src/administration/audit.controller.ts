import { Controller, Get, Inject, Req, Res, VERSION_NEUTRAL, type Type } from '@nestjs/common';
import { writeResponse, type PlatformRequest, type PlatformResponse } from '@sallyport/mcp';
import { AuditEndpoint } from './audit.endpoint.js';

/** The endpoints at a configured path. */
export function createAuditController(path: string): Type<unknown> {
  @Controller({ path, version: VERSION_NEUTRAL })
  class AuditController {
    constructor(@Inject(AuditEndpoint) private readonly endpoint: AuditEndpoint) {}

    @Get()
    async list(@Req() request: PlatformRequest, @Res() response: PlatformResponse): Promise<void> {
      await writeResponse(response, await this.endpoint.answer(request));
    }

    @Get(':id')
    async show(@Req() request: PlatformRequest, @Res() response: PlatformResponse): Promise<void> {
      await writeResponse(response, await this.endpoint.answer(request));
    }
  }
  return AuditController;
}
