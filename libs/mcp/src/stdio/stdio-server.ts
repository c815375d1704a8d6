import type { Readable, Writable } from 'node:stream';
import { Logger } from '@nestjs/common';
import type { Server } from '@modelcontextprotocol/server';
import { serveStdio, StdioServerTransport, type StdioServerHandle } from '@modelcontextprotocol/server/stdio';
import { traceparentOf } from '../arrive/read-message.js';
import type { CallPipeline } from '../call/call-pipeline.js';
import type { CallContext } from '../call/mcp-call.js';
import { canServe, readOperation, type Message, type Surface } from '../call/operation.js';
import type { Catalog } from '../catalog/catalog.js';
import type { Admission, Gate, Identified } from '../gate/gate.js';
import type { Challenger } from '../gate/ports.js';
import { internalError, methodNotFound, refusalAnswer, type Refusal } from '../gate/refusal.js';
import type { McpOptions } from '../mcp.options.js';
import type { Principal } from '../principal.js';
import { notifyThrough } from '../protocol/notify.js';
import { cancelledId } from '../protocol/cancelled-id.js';
import { createProtocolServer, type Conversation } from '../protocol/protocol-server.js';
import { stackOf } from '../stack-of.js';
import { followIn, uriIn } from '../subscriptions/follow-in.js';
import { subscriberKey } from '../subscriptions/same-principal.js';
import type { Subscriber, Subscription } from '../subscriptions/subscription.js';
import type { Subscriptions } from '../subscriptions/subscriptions.js';
import { uuidV7 } from '../uuid.js';
import { listenFault, StdioListening } from './stdio-listening.js';
import { StrictLines, type Line, type Welcome } from './strict-lines.js';

/** Where the one client of this process is, and what it was given as its credential. */
export interface StdioConnection {
  readonly input: Readable;
  readonly output: Writable;
  /** An access token from the environment of the process; `undefined`: the caller is anonymous. */
  readonly token: string | undefined;
}

/** What is remembered of a connection while it is open. */
interface Open extends StdioConnection {
  readonly listening: StdioListening;
  /** `undefined` until the first message says. */
  era: 'modern' | 'legacy' | undefined;
  /** Of a client of 2025, to whom the server may speak at any time. */
  server?: Server;
  subscription?: Subscription;
}

/** Serves MCP over stdio: the same catalog, the same gate, the same pipeline. */
export class StdioServer {
  readonly #logger = new Logger('Sallyport');

  constructor(
    private readonly catalog: Catalog,
    private readonly gate: Gate,
    private readonly pipeline: CallPipeline,
    private readonly challenger: Challenger,
    private readonly options: McpOptions,
    private readonly subscriptions: Subscriptions,
  ) {}

  /** Starts serving; the connection ends when the client closes its side. */
  serve(connection: StdioConnection): StdioServerHandle {
    const listening = new StdioListening(connection.output, this.subscriptions, this.pipeline);
    const open: Open = { ...connection, listening, era: undefined };
    const lines = new StrictLines(
      this.options.limits,
      connection.output,
      (method) => this.#canServe(open, method),
      (line) => this.#judge(open, line),
    );
    connection.input.pipe(lines);
    const handle = serveStdio(({ era }) => this.#serverFor(open, era), {
      transport: new StdioServerTransport(lines, connection.output),
      onerror: (error) => this.#logger.warn(`stdio: ${error.message}`),
    });
    connection.input.once('close', () => void this.#end(open));
    return {
      close: async () => {
        await this.#end(open);
        await handle.close();
      },
    };
  }

  async #end({ listening, subscription }: Open): Promise<void> {
    await listening.close();
    await subscription?.end('completed');
  }

  #serverFor(open: Open, era: 'modern' | 'legacy'): Server {
    open.era = era;
    const { server, instructions } = this.options;
    const told = instructions === undefined ? {} : { instructions };
    const options = { server, challengeOf: this.challenger.challenge.bind(this.challenger), ...told };
    const surface = this.#surfaceOf(era);
    const made = createProtocolServer(this.catalog, options, this.#conversation(open, era), surface);
    if (era === 'legacy') open.server = made;
    return made;
  }

  /** From its first message on that was identified, a client of 2025 is told of what it may know. */
  #openStream(open: Open, principal: Principal | undefined): void {
    if (open.server === undefined || open.subscription?.isOpen === true) return;
    const listener = { send: notifyThrough(open.server), close: () => undefined };
    open.subscription = this.subscriptions.openConnection(this.#subscriber(open, principal), listener);
  }

  /** Before the first message either era may be meant. */
  #canServe({ era }: Open, method: string): boolean {
    const eras = era === undefined ? (['modern', 'legacy'] as const) : [era];
    return eras.some((one) => canServe(method, this.#surfaceOf(one)));
  }

  #surfaceOf(era: 'modern' | 'legacy'): Surface {
    if (era === 'legacy') return { stream: 'session' };
    return { stream: this.options.subscriptions === undefined ? 'none' : 'listen' };
  }

  #subscriber(open: Open, principal: Principal | undefined): Subscriber {
    return {
      principal,
      key: subscriberKey(principal, undefined),
      from: { via: 'stdio', address: undefined },
      identifyAgain: () => this.#identify(open),
    };
  }

  /** What fails for one line refuses that line: the connection goes on. */
  async #judge(open: Open, line: Line): Promise<Welcome> {
    try {
      return await this.#welcome(open, line);
    } catch (error) {
      this.#logger.error(`A line on stdio (${line.message.method}) could not be judged.`, stackOf(error));
      return this.#errorOf(internalError());
    }
  }

  /** What happens to a line before the SDK sees it: it answers the handshake, and follows resources, without asking. */
  async #welcome(open: Open, { message, id, body }: Line): Promise<Welcome> {
    if (message.method === 'notifications/cancelled') {
      const cancelled = cancelledId(message.params);
      return (await open.listening.cancel(cancelled)) ? 'taken' : 'pass';
    }
    // Without an id nobody waits for it: nothing is decided, and no attempt is opened that nobody would close.
    if (message.method === 'subscriptions/listen' && id === undefined) return 'taken';
    const refusal =
      message.method === 'subscriptions/listen' && id !== undefined
        ? await this.#listen(open, message, id, body)
        : await this.#refusalOf(open, message);
    if (refusal !== undefined) return this.#errorOf(refusal);
    return message.method === 'subscriptions/listen' ? 'taken' : 'pass';
  }

  async #refusalOf(open: Open, message: Message): Promise<Refusal | undefined> {
    const admission = await this.#admit(open, message, 'unknown', this.#surfaceOf(open.era ?? 'legacy'));
    return admission.kind === 'refused' ? admission.refusal : undefined;
  }

  async #listen(
    open: Open,
    message: Message,
    id: string | number,
    body: Record<string, unknown>,
  ): Promise<Refusal | undefined> {
    const fault = listenFault(body);
    if (fault !== undefined) return fault;
    const admission = await this.#admit(open, message, '2026-07-28', this.#surfaceOf('modern'));
    if (admission.kind === 'refused') return admission.refusal;
    if (admission.kind !== 'listening') return methodNotFound();
    return open.listening.open(id, admission, this.#subscriber(open, admission.principal));
  }

  #errorOf(refusal: Refusal): Welcome {
    const challengeOf = this.challenger.challenge.bind(this.challenger);
    return { error: refusalAnswer(refusal, challengeOf).error };
  }

  #conversation(open: Open, era: 'modern' | 'legacy'): Conversation {
    const surface = this.#surfaceOf(era);
    const admit = (message: Message, agreed: string | undefined) =>
      this.#admit(open, message, agreed ?? era, surface);
    return {
      list: async (message, { protocol }) => {
        const admission = await admit(message, protocol);
        if (admission.kind === 'listed' || admission.kind === 'refused') return admission;
        throw new Error('This message was not admitted as a list.');
      },
      call: async (message, running, { protocol }) => {
        const admission = await admit(message, protocol);
        if (admission.kind === 'refused') return admission;
        if (admission.kind !== 'cleared') throw new Error('This message was not admitted as a call.');
        const { call, clearance } = admission;
        return { kind: 'ran', entry: call.entry, ran: await this.pipeline.run(call, clearance, running) };
      },
      subscriptions: async (message, { protocol }) => {
        const admission = await admit(message, protocol);
        if (admission.kind === 'refused') return admission.refusal;
        const { subscription } = open;
        if (subscription === undefined) throw new Error('There is no stream to follow anything on.');
        if (message.method === 'resources/subscribe') return followIn(subscription, admission, this.pipeline);
        await subscription.unfollow(uriIn(message.params) ?? '');
        return undefined;
      },
    };
  }

  #identify({ token }: StdioConnection): Promise<Identified> {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return this.gate.identify({ headers, via: 'stdio' });
  }

  /** The credential is judged anew for every message: a token that has expired meanwhile opens nothing. */
  async #admit(open: Open, message: Message, protocol: string, surface: Surface): Promise<Admission> {
    const identified = await this.#identify(open);
    if (identified.kind === 'refused') return identified;
    this.#openStream(open, identified.principal);
    const context: CallContext = {
      id: uuidV7(),
      receivedAt: new Date(),
      server: this.options.server,
      via: 'stdio',
      protocol,
      principal: identified.principal,
      address: undefined,
      traceparent: traceparentOf(message),
    };
    return this.gate.admit(readOperation(this.catalog, message, context, surface));
  }
}
