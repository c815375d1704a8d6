import {
  Inject,
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { HttpGateway, type PlatformRequest } from '@sallyport/mcp';
import type { Observable } from 'rxjs';

/**
 * Enforces the decision while an HTTP status can still be set: what is not admitted leaves here as an exception, and the
 * endpoint behind it never sees the exchange.
 */
@Injectable()
export class PolicyInterceptor implements NestInterceptor {
  constructor(@Inject(HttpGateway) private readonly gateway: HttpGateway) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    await this.gateway.admit(context.switchToHttp().getRequest<PlatformRequest>());
    return next.handle();
  }
}
