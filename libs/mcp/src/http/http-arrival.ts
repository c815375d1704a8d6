import type { IncomingMessage, ServerResponse } from 'node:http';
import { Logger } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import { arrive, type ArrivalOptions } from '../arrive/arrival.js';
import { stackOf } from '../stack-of.js';

interface ExpressLike {
  use(handler: (request: IncomingMessage, response: ServerResponse, next: () => void) => void): unknown;
}

interface FastifyLike {
  addHook(
    name: 'onRequest',
    hook: (
      request: { raw: IncomingMessage },
      reply: { raw: ServerResponse; hijack(): unknown },
    ) => Promise<unknown>,
  ): unknown;
}

/**
 * Puts {@link arrive} in front of the application's body parser. This happens while providers are constructed, which is
 * before Nest registers its parsers and routes, so `main.ts` needs no option and no call.
 */
export function installArrival(host: HttpAdapterHost, options: ArrivalOptions): void {
  // At once for an application; a testing module gets its HTTP side later, and after its providers.
  host.init$.subscribe(() => install(host, options));
}

function install({ httpAdapter }: HttpAdapterHost, options: ArrivalOptions): void {
  // An application context (stdio, commands) has no HTTP side.
  if (httpAdapter === undefined || httpAdapter === null) return;
  const instance: ExpressLike & FastifyLike = httpAdapter.getInstance();
  if (httpAdapter.getType() === 'fastify') installOnFastify(instance, options);
  else installOnExpress(instance, options);
}

function installOnFastify(instance: FastifyLike, options: ArrivalOptions): void {
  instance.addHook('onRequest', async (request, reply) => {
    const goesOn = await arrive(request.raw, reply.raw, options);
    return goesOn ? undefined : reply.hijack();
  });
}

function installOnExpress(instance: ExpressLike, options: ArrivalOptions): void {
  instance.use((request, response, next) => {
    arrive(request, response, options).then(
      (goesOn) => (goesOn ? next() : undefined),
      (error: unknown) => {
        new Logger('Sallyport').error('A request could not be read.', stackOf(error));
        response.writeHead(500).end();
      },
    );
  });
}
