import { Logger, type OnApplicationBootstrap } from '@nestjs/common';
import type { ExternalContextCreator } from '@nestjs/core';
import { bindFunction } from '../call/bind-handler.js';
import type { CallPipeline } from '../call/call-pipeline.js';
import { currentCall } from '../call/call-scope.js';
import type { CallArguments, ServerIdentity } from '../call/mcp-call.js';
import type { HandlerContext } from '../call/running-call.js';
import type { AuditTrail, PolicyUpkeep } from '../gate/ports.js';
import { UnsafeWiringError } from '../problem.js';
import { thisProcess } from '../process-principal.js';
import { stackOf } from '../stack-of.js';
import type { Subscriptions } from '../subscriptions/subscriptions.js';
import { uuidV7 } from '../uuid.js';
import { buildEntry, type BuiltEntry } from './build-entry.js';
import { catalogChanges, duplicateProblems, type Catalog } from './catalog.js';
import type { Entry } from './entry.js';
import type { McpPromptOptions, McpResourceOptions, McpToolOptions } from './entry-options.js';

/** An entry as a decorator would declare it. */
export type RegisteredDeclaration =
  | { readonly kind: 'tool'; readonly options: McpToolOptions }
  | { readonly kind: 'resource'; readonly options: McpResourceOptions }
  | { readonly kind: 'prompt'; readonly options: McpPromptOptions };

/** What a registered entry runs: returns what the method of a decorator would. */
export type RegisteredHandler = (args: CallArguments, context: HandlerContext) => unknown;

/** An entry that came while the server runs. */
export interface Registration {
  /**
   * Takes the entry away: from then on it does not exist, and calls that have been permitted finish. Recorded first; rejects
   * when that is not possible, and the entry stays.
   */
  remove(): Promise<void>;
}

/**
 * Entries that come and go while the server runs. They are checked as those of decorators are, and go through the same
 * gate; guards, interceptors, pipes and filters of the whole application apply to them. Of this process alone.
 *
 * @example
 * ```ts
 * constructor(private readonly entries: EntryRegistry) {}
 *
 * add(report: Report) {
 *   return this.entries.register(
 *     { kind: 'resource', options: { name: `report_${report.id}`, uri: `reports://${report.id}`,
 *       description: report.title, scopes: ['reports:read'] } },
 *     () => this.reports.text(report.id),
 *   );
 * }
 * ```
 */
export class EntryRegistry implements OnApplicationBootstrap {
  readonly #logger = new Logger('Sallyport');
  #isServing = false;
  /** One change at a time: what was checked is what is changed. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly catalog: Catalog,
    private readonly upkeep: PolicyUpkeep,
    private readonly pipeline: CallPipeline,
    private readonly subscriptions: Subscriptions,
    private readonly creator: ExternalContextCreator,
    private readonly trail: AuditTrail,
    private readonly server: ServerIdentity,
  ) {}

  /** What was registered until now is part of the policy that the record of the start names. */
  onApplicationBootstrap(): void {
    this.#isServing = true;
  }

  /**
   * Adds an entry. It is decided on, listed and run from the moment this resolves. Once the application has started, it is
   * recorded first (`policy.changed`), and rejects when that is not possible.
   *
   * @throws {@link UnsafeWiringError} for whatever would stop the boot, had a decorator declared it: it has no policy, its
   *   name is taken, it asks for a role nobody configured, …
   */
  async register(declaration: RegisteredDeclaration, handler: RegisteredHandler): Promise<Registration> {
    const built = this.#build(declaration, handler);
    const { entry } = built;
    await this.#inTurn(async () => {
      const after = [...catalogChanges().built(this.catalog), built];
      const problems = [
        ...duplicateProblems([entry], this.catalog.entries),
        ...this.upkeep.problemsOf(after.map((one) => one.entry)),
      ];
      if (problems.length > 0) throw new UnsafeWiringError(problems);
      await this.#record(entry, 'registered');
      this.pipeline.bind(entry, bindFunction(handler, this.creator));
      this.#replace(after);
    });
    this.#logger.log(`${entry.kind} "${entry.name}" was registered.`);
    this.#tell(this.subscriptions.entryAdded(entry));
    return { remove: () => this.#inTurn(() => this.#remove(built)) };
  }

  /** Whoever waits does so behind the change before, however that ended. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(change);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #record({ kind, name, digest }: Entry, change: 'registered' | 'removed'): Promise<void> {
    if (!this.#isServing) return;
    const call = currentCall();
    await this.trail.record({
      kind: 'administration',
      id: uuidV7(),
      at: new Date(),
      server: this.server,
      via: call?.via ?? 'http',
      address: call?.address,
      actor: call === undefined ? thisProcess('sallyport:server') : call.principal,
      action: 'policy.changed',
      target: `${kind} ${name}`,
      details: { change, digest, ...(call !== undefined && { call: call.id }) },
    });
  }

  #build(declaration: RegisteredDeclaration, handler: unknown): BuiltEntry {
    const { kind, options } = { ...declaration };
    if (!KINDS.includes(kind) || typeof options !== 'object' || options === null)
      throw refused('A registered entry needs { kind, options }: write kind: tool, resource or prompt.');
    const source = `EntryRegistry.register(${kind} ${options.name})`;
    if (typeof handler !== 'function') throw refused(`${source} needs a function as its handler.`);
    const built = buildEntry({ kind, options }, source);
    if ('entry' in built) return built;
    throw new UnsafeWiringError(built);
  }

  /** Does nothing the second time. */
  async #remove(removed: BuiltEntry): Promise<void> {
    const isThere = () => catalogChanges().built(this.catalog).includes(removed);
    if (!isThere()) return;
    await this.#record(removed.entry, 'removed');
    const tell = await this.subscriptions.beforeRemoval(removed.entry);
    this.#replace(
      catalogChanges()
        .built(this.catalog)
        .filter((one) => one !== removed),
    );
    this.#logger.log(`${removed.entry.kind} "${removed.entry.name}" was removed.`);
    await tell();
  }

  /** The policy first: an entry that is found has been compiled, so there is no moment without a policy for it. */
  #replace(built: readonly BuiltEntry[]): void {
    this.upkeep.adopt(built.map(({ entry }) => entry));
    catalogChanges().replace(this.catalog, built);
  }

  #tell(telling: Promise<void>): void {
    telling.catch((error: unknown) => this.#logger.error('A change was not told.', stackOf(error)));
  }
}

const KINDS: readonly unknown[] = ['tool', 'resource', 'prompt'];

function refused(message: string): UnsafeWiringError {
  return new UnsafeWiringError([{ code: 'registered_entry', message }]);
}
