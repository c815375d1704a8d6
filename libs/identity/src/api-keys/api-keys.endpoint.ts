import { Logger, type OnModuleInit } from '@nestjs/common';
import {
  AdministrationDesk,
  arrivalOf,
  deskAnswer,
  rawRequest,
  readDeskBody,
  stackOf,
  UnsafeWiringError,
  type AdministrationAction,
  type Arrival,
  type Challenger,
  type Gate,
  type PlatformRequest,
  type Problem,
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

/** Keys over HTTP: who asks, may they, and what they receive. Bearer credentials and JSON alone, so no page can forge it. */
export class ApiKeysEndpoint implements OnModuleInit {
  private readonly logger = new Logger('ApiKeys');
  private readonly reports = new RateLimit(REPORTS);
  private readonly desk: AdministrationDesk;

  constructor(private readonly parts: ApiKeysEndpointParts) {
    const { manage, grants, gate, revocations, challenger } = parts;
    this.desk = new AdministrationDesk({ rule: manage, lacks: grants, gate, revocations, challenger });
  }

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
      this.logger.error('A request about API keys failed.', stackOf(error));
      return deskAnswer(500, { error: { reason: 'internal_error', message: 'Something went wrong.' } });
    }
  }

  private async manage(arrival: Arrival, operation: Managed): Promise<Response> {
    const visitor = await this.desk.receive(arrival);
    if (visitor.kind === 'turned_away') return visitor.response;
    const by: Administrator = {
      principal: visitor.principal,
      via: 'http',
      address: arrival.address,
      bounds: 'principal',
    };
    if (visitor.kind === 'barred') {
      await this.parts.keys.recordRefusal(by, ACTIONS[operation], '', visitor.barrier);
      return visitor.response;
    }
    return this.perform(by, operation, parseBody(arrival));
  }

  private async perform(by: Administrator, operation: Managed, body: unknown): Promise<Response> {
    const { keys } = this.parts;
    if (operation === 'issue') return deskAnswer(201, await keys.issue(by, body));
    if (operation === 'rotate') return deskAnswer(201, await keys.rotate(by, body));
    if (operation === 'revoke') return deskAnswer(200, await keys.revoke(by, body));
    readList(body);
    return deskAnswer(200, { keys: await keys.list(by) });
  }

  /** One answer for every report, so that it tells nobody which keys there are. */
  private async report(arrival: Arrival): Promise<Response> {
    const { address } = arrival;
    const wait = this.reports.waitFor(address, Date.now());
    if (wait > 0) {
      const error = { reason: 'too_many', message: 'Too many reports. Try again later.' };
      return deskAnswer(429, { error }, { 'Retry-After': String(Math.ceil(wait / 1000)) });
    }
    const key = readReport(parseBody(arrival));
    if (key !== undefined) await this.parts.keys.report({ via: 'http', address }, key);
    return deskAnswer(202, { received: true });
  }
}

function parseBody(arrival: Arrival): unknown {
  const read = readDeskBody(arrival, KEY_LIMITS);
  if (read.kind === 'unreadable') throw new ApiKeyRefused('invalid', [read.issue]);
  return read.value;
}

function failure({ reason, status, message, issues }: ApiKeyRefused): Response {
  const error = { reason, message, ...(issues.length > 0 && { issues }) };
  return deskAnswer(status, { error }, status === 503 ? { 'Retry-After': String(RETRY_AFTER_SECONDS) } : {});
}
