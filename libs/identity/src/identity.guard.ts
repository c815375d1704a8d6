import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { HttpGateway, type PlatformRequest } from '@sallyport/mcp';

/**
 * Authenticates every exchange of the endpoint, before anything of its body is read. A request without a credential goes
 * on as anonymous: whether that suffices is decided at the second gate.
 */
@Injectable()
export class IdentityGuard implements CanActivate {
  constructor(@Inject(HttpGateway) private readonly gateway: HttpGateway) {}

  /** Throws instead of answering `false`, so that the client gets its challenge and not a bare 403. */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    await this.gateway.identify(context.switchToHttp().getRequest<PlatformRequest>());
    return true;
  }
}
