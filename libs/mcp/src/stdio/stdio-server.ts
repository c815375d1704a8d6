import type { Readable, Writable } from 'node:stream';
import { Logger } from '@nestjs/common';
import { serveStdio, StdioServerTransport, type StdioServerHandle } from '@modelcontextprotocol/server/stdio';
import { traceparentOf } from '../arrive/read-message.js';
import type { CallPipeline } from '../call/call-pipeline.js';
import type { CallContext } from '../call/mcp-call.js';
import { readOperation, type Message } from '../call/operation.js';
import type { Catalog } from '../catalog/catalog.js';
import type { Admission, Gate } from '../gate/gate.js';
import type { Challenger } from '../gate/ports.js';
import { refusalAnswer } from '../gate/refusal.js';
import type { McpOptions } from '../mcp.options.js';
import { createProtocolServer, type Conversation } from '../protocol/protocol-server.js';
import { uuidV7 } from '../uuid.js';
import { StrictLines } from './strict-lines.js';

/** Where the one client of this process is, and what it was given as its credential. */
export interface StdioConnection {
  readonly input: Readable;
  readonly output: Writable;
  /** An access token from the environment of the process; `undefined`: the caller is anonymous. */
  readonly token: string | undefined;
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
  ) {}

  /** Starts serving; the connection ends when the client closes its side. */
  serve(connection: StdioConnection): StdioServerHandle {
    const { server, instructions, limits } = this.options;
    const challengeOf = this.challenger.challenge.bind(this.challenger);
    const lines = new StrictLines(limits, connection.output, async (message) => {
      const admission = await this.#admit(connection, message, 'unknown');
      return admission.kind === 'refused' ? refusalAnswer(admission.refusal, challengeOf).error : undefined;
    });
    connection.input.pipe(lines);
    const serverOptions = {
      server,
      challengeOf,
      ...(instructions === undefined ? {} : { instructions }),
    };
    return serveStdio(
      ({ era }) => createProtocolServer(this.catalog, serverOptions, this.#conversation(connection, era)),
      {
        transport: new StdioServerTransport(lines, connection.output),
        onerror: (error) => this.#logger.warn(`stdio: ${error.message}`),
      },
    );
  }

  #conversation(connection: StdioConnection, era: string): Conversation {
    return {
      list: async (message, agreed) => {
        const admission = await this.#admit(connection, message, agreed ?? era);
        if (admission.kind === 'listed' || admission.kind === 'refused') return admission;
        throw new Error('This message was not admitted as a list.');
      },
      call: async (message, running, agreed) => {
        const admission = await this.#admit(connection, message, agreed ?? era);
        if (admission.kind === 'refused') return admission;
        if (admission.kind !== 'cleared') throw new Error('This message was not admitted as a call.');
        const { call, clearance } = admission;
        return { kind: 'ran', entry: call.entry, ran: await this.pipeline.run(call, clearance, running) };
      },
    };
  }

  /** The credential is judged anew for every message: a token that has expired meanwhile opens nothing. */
  async #admit(connection: StdioConnection, message: Message, protocol: string): Promise<Admission> {
    const { token } = connection;
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const identified = await this.gate.identify({ headers, via: 'stdio' });
    if (identified.kind === 'refused') return identified;
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
    return this.gate.admit(readOperation(this.catalog, message, context));
  }
}
