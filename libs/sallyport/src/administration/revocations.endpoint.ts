import { Logger } from '@nestjs/common';
import {
  arrivalOf,
  deskAnswer,
  isPlainObject,
  notFound,
  rawRequest,
  readDeskBody,
  stackOf,
  type AdministrationDesk,
  type Arrival,
  type PlatformRequest,
  type Principal,
} from '@sallyport/mcp';
import {
  isRevocable,
  RevocationInputError,
  revocationView,
  type LiveRevocations,
  type RevocationAuthor,
  type RevocationService,
  type RevocationTarget,
} from '@sallyport/policy';

/** What is done at the path of the same name; `add` at the path itself. */
export const REVOCATION_OPERATIONS = ['add', 'lift', 'list'] as const;
export type RevocationOperation = (typeof REVOCATION_OPERATIONS)[number];

/** Bodies are a few names: anything larger is no request of ours. */
export const REVOCATION_LIMITS = { maxBodyBytes: 16 * 1024, maxDepth: 2, maxElements: 32 } as const;

const RETRY_AFTER_SECONDS = 5;

/** Revoking over HTTP: who asks, how far they reach, and what they receive. */
export class RevocationsEndpoint {
  readonly #logger = new Logger('Sallyport');

  constructor(
    private readonly desk: AdministrationDesk,
    private readonly service: RevocationService,
    private readonly live: LiveRevocations,
  ) {}

  /** Never throws. */
  async answer(request: PlatformRequest, operation: RevocationOperation): Promise<Response> {
    // It did not come through the limits: another spelling of the path.
    const arrival = arrivalOf(rawRequest(request));
    if (arrival === undefined) return notFound();
    try {
      return await this.#serve(arrival, operation);
    } catch (error) {
      if (error instanceof RevocationInputError) return invalid(error.message);
      this.#logger.error('A revocation could not be made.', stackOf(error));
      const message = 'Nothing was changed: a store cannot be reached. Try again later.';
      return deskAnswer(
        503,
        { error: { reason: 'unavailable', message } },
        { 'Retry-After': `${RETRY_AFTER_SECONDS}` },
      );
    }
  }

  async #serve(arrival: Arrival, operation: RevocationOperation): Promise<Response> {
    const visitor = await this.desk.receive(arrival);
    if (visitor.kind === 'turned_away') return visitor.response;
    const author = authorOf(visitor.principal, arrival);
    if (visitor.kind === 'barred') {
      await this.service.recordRefusal(author, visitor.barrier);
      return visitor.response;
    }
    const { tenant } = visitor.principal;
    if (operation === 'list') return this.#list(tenant);
    const body = readDeskBody(arrival, REVOCATION_LIMITS);
    if (body.kind === 'unreadable') return invalid(body.issue);
    const { target, reason } = readChange(body.value, tenant);
    if (operation === 'add') refuseLockOut(target, visitor.principal);
    await this.service[operation === 'add' ? 'revoke' : 'restore'](target, { ...author, reason });
    return deskAnswer(200, { [operation === 'add' ? 'revoked' : 'restored']: target });
  }

  /** An administrator of a tenant sees what was revoked for that tenant. */
  async #list(tenant: string | undefined): Promise<Response> {
    const active = await this.live.active();
    return deskAnswer(200, {
      revocations: active.filter((one) => tenant === undefined || one.tenant === tenant),
    });
  }
}

/** Whoever revokes themselves could not lift it again. */
function refuseLockOut(target: RevocationTarget, principal: Principal): void {
  if (!revocationView([target]).isRevoked(principal)) return;
  throw new RevocationInputError(
    'This would end your own access: use the sallyport command, if you mean it.',
  );
}

function authorOf(principal: Principal, { address }: Arrival): RevocationAuthor {
  return { by: principal.subject, via: 'http', address, actor: principal };
}

const MEMBERS = new Set(['kind', 'value', 'issuer', 'reason']);

/** Narrowed to the tenant of the administrator: whoever belongs to one reaches nobody of another. */
function readChange(
  body: unknown,
  tenant: string | undefined,
): { readonly target: RevocationTarget; readonly reason: string | undefined } {
  if (!isPlainObject(body) || Object.keys(body).some((name) => !MEMBERS.has(name))) {
    throw new RevocationInputError('Write { "kind", "value" }, and if you like "issuer" and "reason".');
  }
  const { kind, value } = body;
  if (!isRevocable(kind) || typeof value !== 'string') {
    throw new RevocationInputError('Write a kind (token, key, user, client, tenant or entry) and a value.');
  }
  const issuer = optionalText(body['issuer']);
  const target = {
    kind,
    value,
    ...(issuer === undefined ? {} : { issuer }),
    ...(tenant === undefined ? {} : { tenant }),
  };
  return { target, reason: optionalText(body['reason']) };
}

function optionalText(value: unknown): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw new RevocationInputError('issuer and reason are texts.');
}

function invalid(message: string): Response {
  return deskAnswer(400, { error: { reason: 'invalid', message } });
}
