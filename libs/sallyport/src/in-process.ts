import type { INestApplicationContext } from '@nestjs/common';
import {
  Authorizer,
  CallPipeline,
  Catalog,
  Challenger,
  Gate,
  MCP_OPTIONS,
  readOperation,
  refusalAnswer,
  uuidV7,
  type Asked,
  type CallContext,
  type EntryKind,
  type ListMethod,
  type McpOptions,
  type Operation,
  type Principal,
  type Ran,
  type Refusal,
  type RefusalAnswer,
} from '@sallyport/mcp';
import { explanationOf, type Explanation, type PolicyAuthorizer } from '@sallyport/policy';

/** A call as somebody would make it. */
export interface InProcessCall {
  /** `undefined`: a caller without a credential. */
  readonly as: Principal | undefined;
  readonly kind: EntryKind;
  /** The name of a tool or prompt, the URI of a resource. */
  readonly target: string;
  readonly arguments?: unknown;
}

/** What became of a call. */
export interface InProcessOutcome {
  readonly explanation: Explanation;
  /** What the caller was refused with, as their client would see it. */
  readonly refusal: RefusalAnswer | undefined;
  /** How it ran, when it did. */
  readonly ran: Ran | undefined;
}

/**
 * Why a call would run, wait or be refused: validated and decided as the call would be, rules and the directory of roles
 * included. No handler runs, and nothing is recorded.
 *
 * @example
 * const { effect, checks } = await explainCall(app, { as: undefined, kind: 'tool', target: 'crm_open_record' });
 */
export async function explainCall(app: INestApplicationContext, call: InProcessCall): Promise<Explanation> {
  const { gate, policy } = partsOf(app);
  return explanationOf(await gate.explain(askedOf(app, call)), policy());
}

/**
 * Makes a call within this process, with a principal that no credential vouches for: through the gate, which records it,
 * and through the pipeline, like every other call. For tests.
 *
 * @throws Error in production
 */
export async function callInProcess(
  app: INestApplicationContext,
  made: InProcessCall,
): Promise<InProcessOutcome> {
  refuseInProduction();
  const { gate, pipeline, policy } = partsOf(app);
  const asked = askedOf(app, made);
  const admission = await gate.admit({ kind: 'call', ...asked });
  if (admission.kind === 'cleared') {
    const { call, clearance, decision } = admission;
    const explanation = explanationOf({ kind: 'permitted', call, decision }, policy());
    const { signal } = new AbortController();
    const ran = await pipeline.run(call, clearance, { signal, reportProgress: async () => undefined });
    return { explanation, refusal: undefined, ran };
  }
  if (admission.kind !== 'refused') throw new Error('A call was admitted as something else.');
  const { verdict, refusal } = admission;
  const explanation = explanationOf(verdict ?? (await gate.explain(asked)), policy());
  return {
    explanation: { ...explanation, ...refusedWith(explanation, refusal) },
    refusal: answerTo(app, refusal),
    ran: undefined,
  };
}

/**
 * What a caller is shown of one list. For tests.
 *
 * @throws Error in production
 */
export async function listInProcess(
  app: INestApplicationContext,
  as: Principal | undefined,
  method: ListMethod,
): Promise<readonly Readonly<Record<string, unknown>>[] | RefusalAnswer> {
  refuseInProduction();
  const { gate, catalog } = partsOf(app);
  const admission = await gate.admit(readOperation(catalog, { method, params: {} }, contextOf(app, as)));
  if (admission.kind === 'listed') return admission.entries.map((entry) => catalog.listed(entry));
  if (admission.kind === 'refused') return answerTo(app, admission.refusal);
  throw new Error('A list was admitted as something else.');
}

const METHOD = { tool: 'tools/call', resource: 'resources/read', prompt: 'prompts/get' } as const;

function partsOf(app: INestApplicationContext) {
  const authorizer = app.get<PolicyAuthorizer>(Authorizer, { strict: false });
  return {
    gate: app.get(Gate, { strict: false }),
    pipeline: app.get(CallPipeline, { strict: false }),
    catalog: app.get(Catalog, { strict: false }),
    policy: () => authorizer.policy,
  };
}

function askedOf(app: INestApplicationContext, { as, kind, target, arguments: given }: InProcessCall): Asked {
  const params = kind === 'resource' ? { uri: target } : { name: target, arguments: given };
  const { catalog } = partsOf(app);
  const operation: Operation = readOperation(catalog, { method: METHOD[kind], params }, contextOf(app, as));
  if (operation.kind === 'call') return operation;
  throw new Error('A call was read as something else.');
}

function contextOf(app: INestApplicationContext, principal: Principal | undefined): CallContext {
  const { server } = app.get<McpOptions>(MCP_OPTIONS, { strict: false });
  return {
    id: uuidV7(),
    receivedAt: new Date(),
    server,
    via: 'stdio',
    protocol: 'in-process',
    principal,
    address: undefined,
    traceparent: undefined,
  };
}

/** What the gate refused may not be explained by what it would decide: it could not record the call, for one. */
function refusedWith({ reason: recorded, told }: Explanation, refusal: Refusal): Partial<Explanation> {
  if (told?.reason === refusal.reason) return {};
  const { status, code, reason, message } = refusal;
  return {
    effect: 'refuse',
    reason: reason === 'unavailable' ? undefined : recorded,
    told: { status, code, reason, message },
  };
}

function answerTo(app: INestApplicationContext, refusal: Refusal): RefusalAnswer {
  const challenger = app.get(Challenger, { strict: false });
  return refusalAnswer(refusal, challenger.challenge.bind(challenger));
}

/** A caller without a credential who says who they are: that is for tests alone. */
function refuseInProduction(): void {
  if (process.env['NODE_ENV'] === 'production')
    throw new Error('Calls with made-up principals are refused with NODE_ENV=production.');
}
