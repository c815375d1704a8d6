import { Logger, type OnModuleInit } from '@nestjs/common';
import {
  arrivalOf,
  authenticationRequired,
  insufficientScope,
  invalidToken,
  parseStrictJson,
  rawRequest,
  refusalAnswer,
  StrictJsonError,
  unavailable,
  UnsafeWiringError,
  type AdministrationAction,
  type Arrival,
  type Challenger,
  type Gate,
  type JsonLimits,
  type PlatformRequest,
  type Principal,
  type Problem,
  type Refusal,
  type Revocations,
} from '@sallyport/mcp';
import { ApiKeyRefused } from './api-key.errors.js';
import type { Administrator, ApiKeys } from './api-keys.js';
import type { ApiKeySettings } from './api-keys.options.js';
import type { Grants } from './key-grants.js';
import { readList, readReport } from './key-request.js';
import { RateLimit } from './rate-limit.js';

/** What is done at the path of the same name; `issue` at the path itself. */
export const KEY_OPERATIONS = ['issue', 'list', 'rotate', 'revoke', 'report'] as const;
export type KeyOperation = (typeof KEY_OPERATIONS)[number];

/** Bodies are a few names: anything larger is no request of ours. */
export const KEY_LIMITS = { maxBodyBytes: 64 * 1024, maxDepth: 4, maxElements: 2_000 } as const;

const RETRY_AFTER_SECONDS = 5;
const REPORTS = { most: 10, windowMs: 60_000, mostCallers: 10_000 } as const;

const ACTIONS = {
  issue: 'key.issued',
  list: 'key.listed',
  rotate: 'key.rotated',
  revoke: 'key.revoked',
} as const satisfies Record<Exclude<KeyOperation, 'report'>, AdministrationAction>;

type Managed = keyof typeof ACTIONS;

export interface ApiKeysEndpointParts {
  readonly keys: ApiKeys;
  readonly manage: NonNullable<ApiKeySettings['manage']>;
  readonly grants: Grants;
  readonly gate: Gate;
  readonly revocations: Revocations;
  readonly challenger: Challenger;
  /** What is wrong with where it is served. */
  readonly problems: () => readonly Problem[];
}

/** Why a signed-in caller may not manage keys, as the audit has it. */
type Barrier = 'kind' | 'delegated' | 'role' | 'insufficient_scope';

/** Keys over HTTP: who asks, may they, and what they receive. Bearer credentials and JSON alone, so no page can forge it. */
export class ApiKeysEndpoint implements OnModuleInit {
  private readonly logger = new Logger('ApiKeys');
  private readonly reports = new RateLimit(REPORTS);

  constructor(private readonly parts: ApiKeysEndpointParts) {}

  onModuleInit(): void {
    const problems = this.parts.problems();
    if (problems.length > 0) throw new UnsafeWiringError(problems);
  }

  /** Never throws. */
  async answer(request: PlatformRequest, operation: KeyOperation): Promise<Response> {
    // It did not come through the limits: another spelling of the path.
    const arrival = arrivalOf(rawRequest(request));
    if (arrival === undefined) return failure(new ApiKeyRefused('unknown'));
    try {
      return operation === 'report' ? await this.report(arrival) : await this.manage(arrival, operation);
    } catch (error) {
      if (error instanceof ApiKeyRefused) return failure(error);
      this.logger.error('A request about API keys failed.', error instanceof Error ? error.stack : undefined);
      return json(500, { error: { reason: 'internal_error', message: 'Something went wrong.' } });
    }
  }

  private async manage(arrival: Arrival, operation: Managed): Promise<Response> {
    const identified = await this.identify(arrival);
    if ('refusal' in identified) return this.refusal(identified.refusal);
    const { principal } = identified;
    const by: Administrator = { principal, via: 'http', address: arrival.address, bounds: 'principal' };
    const barrier = this.barrierTo(principal);
    if (barrier !== undefined) {
      await this.parts.keys.recordRefusal(by, ACTIONS[operation], '', barrier);
      // Who is no administrator is not told that there is something to administer.
      if (barrier !== 'insufficient_scope') throw new ApiKeyRefused('unknown');
      return this.refusal(insufficientScope([this.parts.manage.scope]));
    }
    return this.perform(by, operation, parseBody(arrival));
  }

  private async perform(by: Administrator, operation: Managed, body: unknown): Promise<Response> {
    const { keys } = this.parts;
    if (operation === 'issue') return json(201, await keys.issue(by, body));
    if (operation === 'rotate') return json(201, await keys.rotate(by, body));
    if (operation === 'revoke') return json(200, await keys.revoke(by, body));
    readList(body);
    return json(200, { keys: await keys.list(by) });
  }

  /** One answer for every report, so that it tells nobody which keys there are. */
  private async report(arrival: Arrival): Promise<Response> {
    const { address } = arrival;
    const wait = this.reports.waitFor(address, Date.now());
    if (wait > 0) {
      const error = { reason: 'too_many', message: 'Too many reports. Try again later.' };
      return json(429, { error }, { 'Retry-After': String(Math.ceil(wait / 1000)) });
    }
    const key = readReport(parseBody(arrival));
    if (key !== undefined) await this.parts.keys.report({ via: 'http', address }, key);
    return json(202, { received: true });
  }

  private async identify({
    headers,
    address,
  }: Arrival): Promise<{ readonly principal: Principal } | { readonly refusal: Refusal }> {
    const { gate, manage } = this.parts;
    const identified = await gate.identify({
      headers,
      via: 'http',
      ...(address !== undefined && { address }),
    });
    if (identified.kind === 'refused') return { refusal: identified.refusal };
    const { principal } = identified;
    if (principal === undefined) return { refusal: authenticationRequired([manage.scope]) };
    return (await this.revoked(principal)) ?? { principal };
  }

  private async revoked(principal: Principal): Promise<{ readonly refusal: Refusal } | undefined> {
    try {
      const view = await this.parts.revocations.current();
      return view.isRevoked(principal) ? { refusal: invalidToken([this.parts.manage.scope]) } : undefined;
    } catch (error) {
      this.logger.error(
        'It could not be found out what is revoked; no key was touched.',
        error instanceof Error ? error.stack : undefined,
      );
      return { refusal: unavailable('revocations') };
    }
  }

  /** A person, by themselves, with the role of an administrator, who consented to this. */
  private barrierTo({ kind, actors, roles, scopes }: Principal): Barrier | undefined {
    const { manage, grants } = this.parts;
    if (kind !== 'user') return 'kind';
    if (actors.length > 0) return 'delegated';
    if (grants.missingRoles([manage.role], roles).length > 0) return 'role';
    return grants.missingScopes([manage.scope], scopes).length > 0 ? 'insufficient_scope' : undefined;
  }

  private refusal(refusal: Refusal): Response {
    const { challenger } = this.parts;
    const { status, headers, error } = refusalAnswer(refusal, challenger.challenge.bind(challenger));
    return json(status, { error: { message: error.message, ...error.data } }, headers);
  }
}

function parseBody({ body }: Arrival, limits: JsonLimits = KEY_LIMITS): unknown {
  try {
    return parseStrictJson(new TextDecoder('utf-8', { fatal: true }).decode(body), limits);
  } catch (error) {
    throw new ApiKeyRefused('invalid', [
      error instanceof StrictJsonError ? 'the body is no strict JSON' : 'the body is not UTF-8',
    ]);
  }
}

function failure({ reason, status, message, issues }: ApiKeyRefused): Response {
  const error = { reason, message, ...(issues.length > 0 && { issues }) };
  return json(status, { error }, status === 503 ? { 'Retry-After': String(RETRY_AFTER_SECONDS) } : {});
}

function json(status: number, body: object, headers: Readonly<Record<string, string>> = {}): Response {
  return Response.json(body, { status, headers: { 'Cache-Control': 'no-store', ...headers } });
}
