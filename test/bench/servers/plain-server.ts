import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { reportToBench } from './report-to-bench.js';

/** Answers one request whose body was read and parsed. */
export interface Answerer {
  (request: IncomingMessage, body: unknown, response: ServerResponse): Promise<void> | void;
}

/** The smallest server on node:http around an answerer. No limits, no checks: nothing but the parsing of JSON. */
export async function servePlainly(answer: Answerer): Promise<void> {
  const server = createServer((request, response) => {
    serve(answer, request, response).catch((error: unknown) => {
      console.error(error);
      response.writeHead(500).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('A TCP server has a port.');
  reportToBench({ port: address.port }, () => {
    server.close();
    server.closeAllConnections();
  });
}

async function serve(answer: Answerer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(request, 'end');
  const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  await answer(request, body, response);
}
