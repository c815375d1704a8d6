import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Deferred } from './eventually.js';
import type { PostgresOptions } from './postgres.js';

/** What is lost when a statement is caught: it never arrives, or nobody hears what became of it. */
export type Lost = 'the question' | 'the answer';

interface Trap {
  readonly lost: Lost;
  readonly spring: () => void;
}

interface Wire {
  readonly client: Socket;
  readonly server: Socket;
  /** What the client said since the server spoke last. */
  asked: Buffer;
  /** Set when this wire is waiting for the answer that will be lost. */
  trap: Trap | undefined;
  /** Nothing passes any more, and neither side is told. */
  isDead: boolean;
}

/** The network between a server and its PostgreSQL, as it is when it does not work. */
export class PostgresProxy {
  readonly #wires = new Set<Wire>();
  #mode: 'open' | 'silent' | 'refusing' = 'open';
  #trap: Trap | undefined;

  private constructor(
    private readonly server: Server,
    private readonly target: PostgresOptions,
  ) {}

  static async start(target: PostgresOptions): Promise<PostgresProxy> {
    const server = createServer();
    const proxy = new PostgresProxy(server, target);
    server.on('connection', (client) => proxy.#accept(client));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  /** The database as it is reached through here. */
  get options(): PostgresOptions {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('The proxy does not listen.');
    return { ...this.target, port: address.port };
  }

  /** Every connection is silent from now on, the ones to come included: packets vanish. */
  silence(): void {
    this.#mode = 'silent';
    for (const wire of this.#wires) wire.isDead = true;
  }

  /** Every connection is cut, and the ones to come are refused. */
  cut(): void {
    this.#mode = 'refusing';
    for (const { client, server } of this.#wires) {
      client.destroy();
      server.destroy();
    }
  }

  /** New connections work. Those that were silenced stay silent, as they would. */
  heal(): void {
    this.#mode = 'open';
    this.#trap = undefined;
  }

  /** Catches the next statement that writes an outcome. Resolves when it was lost; then that connection is silent. */
  catchOutcome(lost: Lost): Promise<void> {
    const caught = new Deferred();
    this.#trap = { lost, spring: () => caught.resolve() };
    return caught.promise;
  }

  async stop(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  #accept(client: Socket): void {
    // A connection that ends early is what this is about.
    client.on('error', () => undefined);
    if (this.#mode === 'refusing') {
      client.destroy();
      return;
    }
    const server = connect(this.target.port, this.target.host);
    server.on('error', () => undefined);
    const wire: Wire = {
      client,
      server,
      asked: Buffer.alloc(0),
      trap: undefined,
      isDead: this.#mode === 'silent',
    };
    this.#wires.add(wire);
    client.on('data', (bytes) => this.#ask(wire, bytes));
    server.on('data', (bytes) => this.#answer(wire, bytes));
    client.on('close', () => this.#end(wire));
    server.on('close', () => {
      if (!wire.isDead) client.destroy();
    });
  }

  #end(wire: Wire): void {
    wire.server.destroy();
    this.#wires.delete(wire);
  }

  #ask(wire: Wire, bytes: Buffer): void {
    if (wire.isDead) return;
    wire.asked = Buffer.concat([wire.asked, bytes]);
    const trap = this.#trap;
    if (trap === undefined || !writesOutcome(wire.asked)) {
      wire.server.write(bytes);
      return;
    }
    this.#trap = undefined;
    if (trap.lost === 'the question') {
      wire.isDead = true;
      trap.spring();
      return;
    }
    wire.trap = trap;
    wire.server.write(bytes);
  }

  #answer(wire: Wire, bytes: Buffer): void {
    if (wire.isDead) return;
    wire.asked = Buffer.alloc(0);
    if (wire.trap === undefined) {
      wire.client.write(bytes);
      return;
    }
    // The statement is committed when the server is ready for the next one, and not before.
    if (!isReady(bytes)) return;
    wire.isDead = true;
    wire.trap.spring();
  }
}

/** `Parse` with the statement and `Bind` with its parameters, of which the kind of the record is one. */
function writesOutcome(asked: Buffer): boolean {
  return asked.includes('INSERT INTO "sallyport_audit"') && asked.includes('outcome');
}

/** Ends with `ReadyForQuery`, outside of a transaction (PostgreSQL, message formats). */
function isReady(bytes: Buffer): boolean {
  return bytes.subarray(-6).equals(Buffer.from([0x5a, 0, 0, 0, 5, 0x49]));
}
