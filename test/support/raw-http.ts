import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { bodyOf, headersOf, type Request } from './messages.js';

/** The bytes of a request as they are, for what no HTTP client would send. */
export function rawRequest(
  line: string,
  headers: readonly (readonly [string, string])[],
  body: string | Buffer = '',
): Buffer {
  const head = [line, ...headers.map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n');
  return Buffer.concat([Buffer.from(head), Buffer.from(body)]);
}

/** The bytes of a whole MCP message. */
export function rawMessage(
  request: Request,
  { path = '/mcp', host = '127.0.0.1', more = [] as readonly (readonly [string, string])[] } = {},
): Buffer {
  const body = Buffer.from(JSON.stringify(bodyOf(request)));
  const headers = Object.entries({
    Host: host,
    ...headersOf(request),
    'Content-Length': String(body.length),
  });
  return rawRequest(`POST ${path} HTTP/1.1`, [...headers, ...more, ['Connection', 'close']], body);
}

export async function openSocket(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  // A server that ends a connection early is what some tests are about.
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Sends bytes and reads until the server ends the connection. Gives the status and the whole text. */
export async function exchangeRaw(port: number, bytes: Buffer): Promise<{ status: number; text: string }> {
  const socket = await openSocket(port);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(bytes);
  await once(socket, 'close');
  const text = Buffer.concat(chunks).toString('utf8');
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text };
}
