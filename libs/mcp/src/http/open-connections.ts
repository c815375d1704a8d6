import { Server, type IncomingMessage, type ServerResponse } from 'node:http';
import { Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';

/** How often it is looked at what keeps a closing server from ending. */
const LOOK_MS = 100;

/**
 * The connections of an HTTP server. Closing it ends those that are idle, and waits without limit for those over which a
 * request never came, or not all of it: a client that opened one in advance would hold up the end.
 */
export class OpenConnections {
  /** The requests under way on each. */
  readonly #requests = new Map<Socket, Set<IncomingMessage>>();

  /** Does nothing for a server of HTTP/2, which has sessions instead. */
  static of(server: unknown): OpenConnections | undefined {
    return server instanceof Server || server instanceof TlsServer ? new OpenConnections(server) : undefined;
  }

  private constructor(private readonly server: Server) {
    server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.#requests.set(socket, new Set());
      socket.once('close', () => this.#requests.delete(socket));
    });
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#requests.get(request.socket)?.add(request);
      response.once('close', () => this.#requests.get(request.socket)?.delete(request));
    });
  }

  /** Ends the connections over which nobody waits for an answer, now and until the server is closed. */
  endUnused(): void {
    const end = () => {
      for (const [socket, requests] of this.#requests) {
        if (![...requests].some(({ complete }) => complete)) socket.destroy();
      }
    };
    end();
    const timer = setInterval(end, LOOK_MS);
    timer.unref();
    this.server.once('close', () => clearInterval(timer));
  }
}
