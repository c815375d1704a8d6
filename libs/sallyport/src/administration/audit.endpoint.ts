import { Logger } from '@nestjs/common';
import {
  looksStored,
  safeText,
  type AuditCall,
  type AuditDisclosure,
  type AuditViewer,
  type ReadRecord,
  type RecordWalk,
} from '@sallyport/audit';
import {
  arrivalOf,
  deskAnswer,
  notFound,
  rawRequest,
  stackOf,
  type AdministrationDesk,
  type Arrival,
  type Lacks,
  type PlatformRequest,
  type Principal,
} from '@sallyport/mcp';
import { AuditQueryError, readAuditQuery } from './audit-query.js';

/** `GET` has no body; what comes anyway is not read. */
export const AUDIT_LIMITS = { maxBodyBytes: 1024, maxDepth: 1, maxElements: 1 } as const;

const RETRY_AFTER_SECONDS = 5;
/** Reads at a time, of all auditors. */
const MOST_READS = 4;

export interface AuditEndpointParts {
  readonly desk: AdministrationDesk;
  readonly disclosure: AuditDisclosure;
  readonly walk: RecordWalk;
  readonly lacks: Pick<Lacks, 'missingRoles'>;
  /** `undefined`: nobody sees beyond their tenant. */
  readonly operatorRole: string | undefined;
  readonly path: string;
}

/** How far an auditor sees; `tenant` is `undefined` for an operator alone. */
interface Reach {
  readonly viewer: AuditViewer;
  readonly isOperator: boolean;
  readonly tenant: string | undefined;
}

/** Reading the audit over HTTP: who asks, how far they see, and what they receive. */
export class AuditEndpoint {
  readonly #logger = new Logger('Sallyport');
  #reads = 0;

  constructor(private readonly parts: AuditEndpointParts) {}

  /** Never throws. */
  async answer(request: PlatformRequest): Promise<Response> {
    const raw = rawRequest(request);
    // It did not come through the limits: another spelling of the path.
    const arrival = arrivalOf(raw);
    if (arrival === undefined) return notFound();
    try {
      return await this.#serve(arrival, raw.url ?? '');
    } catch (error) {
      if (error instanceof AuditQueryError) return invalid(error.message);
      this.#logger.error('The audit could not be read.', stackOf(error));
      const message = 'Nothing is shown: a store cannot be reached. Try again later.';
      return deskAnswer(
        503,
        { error: { reason: 'unavailable', message } },
        { 'Retry-After': `${RETRY_AFTER_SECONDS}` },
      );
    }
  }

  /** However many auditors read at a time, so many searches are under way: the others are asked to come again. */
  async #withinBound(read: () => Promise<Response>): Promise<Response> {
    if (this.#reads >= MOST_READS) {
      const message = 'Too many are reading the audit. Try again in a moment.';
      return deskAnswer(429, { error: { reason: 'too_many', message } }, { 'Retry-After': '1' });
    }
    this.#reads += 1;
    try {
      return await read();
    } finally {
      this.#reads -= 1;
    }
  }

  async #serve(arrival: Arrival, url: string): Promise<Response> {
    const { desk, disclosure } = this.parts;
    const visitor = await desk.receive(arrival);
    if (visitor.kind === 'turned_away') return visitor.response;
    const viewer: AuditViewer = { via: 'http', address: arrival.address, actor: visitor.principal };
    if (visitor.kind === 'barred') {
      await disclosure.refuse(viewer, visitor.barrier);
      return visitor.response;
    }
    const reach = this.#reachOf(visitor.principal, viewer);
    if (reach === undefined) {
      await disclosure.refuse(viewer, 'tenant');
      return notFound();
    }
    const [path = '', search = ''] = splitOnce(url, '?');
    const id = path.slice(this.parts.path.length + 1);
    return this.#withinBound(() => (id === '' ? this.#list(reach, search) : this.#show(reach, id)));
  }

  /** Who belongs to no tenant and is no operator sees nothing at all. */
  #reachOf({ roles, tenant }: Principal, viewer: AuditViewer): Reach | undefined {
    const { operatorRole, lacks } = this.parts;
    const isOperator = operatorRole !== undefined && lacks.missingRoles([operatorRole], roles).length === 0;
    if (isOperator) return { viewer, isOperator, tenant: undefined };
    // Such a name could be that of another tenant, as its records have it.
    if (tenant === undefined || looksStored(tenant)) return undefined;
    return { viewer, isOperator, tenant };
  }

  async #list({ viewer, isOperator, ...reach }: Reach, search: string): Promise<Response> {
    const query = readAuditQuery(search, isOperator);
    const tenant = reach.tenant ?? query.tenant;
    const before = await this.#seqOf(query.cursor, reach.tenant);
    const calls = await this.parts.disclosure.list(viewer, {
      ...query.filter,
      ...(tenant !== undefined && { tenant }),
      ...(before !== undefined && { before }),
    });
    const [oldest] = calls;
    const next = calls.length < query.filter.limit ? null : (oldest?.id ?? null);
    return recordsAnswer({ records: calls.reverse().map(withoutNumber), next });
  }

  /** A cursor is the id of the oldest record that was shown: it tells nothing, and works in every process. */
  async #seqOf(cursor: string | undefined, tenant: string | undefined): Promise<number | undefined> {
    if (cursor === undefined) return undefined;
    const seq = await this.parts.walk.seqOf(cursor, tenant);
    if (seq !== undefined) return seq;
    throw new AuditQueryError('The cursor is not one of ours: write `next` of the page before.');
  }

  /** What belongs to another tenant is answered as what does not exist. */
  async #show({ viewer, tenant }: Reach, id: string): Promise<Response> {
    const records = await this.parts.disclosure.show(viewer, id, tenant);
    if (records.length === 0) return notFound();
    return recordsAnswer({ records: records.map(withoutNumber) });
  }
}

/** JSON that means the same, and does nothing to a terminal that shows it, whoever wrote into the database. */
function recordsAnswer(body: object): Response {
  const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' };
  return new Response(safeText(JSON.stringify(body)), { headers });
}

/** From gaps in the numbers a tenant could tell how much others do. */
function withoutNumber({ seq: _seq, ...record }: AuditCall | ReadRecord) {
  return record;
}

function splitOnce(text: string, separator: string): string[] {
  const index = text.indexOf(separator);
  return index === -1 ? [text] : [text.slice(0, index), text.slice(index + 1)];
}

function invalid(message: string): Response {
  return deskAnswer(400, { error: { reason: 'invalid', message } });
}
