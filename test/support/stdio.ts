import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { StdioServer } from '@sallyport/mcp';
import { AuditReader, type AuditCall } from 'sallyport';
import { bodyOf, type Answer, type Json, type Request } from './messages.js';
import { applicationModule, LogLines, Runs, type TestServerOptions } from './server.js';

type Message = Json & { id?: unknown; result?: Json; error?: Answer['error'] };

/** An application without HTTP, that serves one client over two streams in this process. */
export class StdioClient {
  readonly messages: Message[] = [];
  readonly #arrived = new PassThrough({ objectMode: true }).resume();

  private constructor(
    readonly context: INestApplicationContext,
    readonly runs: Runs,
    readonly logs: LogLines,
    readonly input: PassThrough,
    output: PassThrough,
  ) {
    createInterface({ input: output }).on('line', (line) => {
      this.messages.push(JSON.parse(line) as Message);
      this.#arrived.emit('message');
    });
  }

  static async start(options: TestServerOptions & { token?: string | undefined }): Promise<StdioClient> {
    const runs = new Runs();
    const logs = new LogLines();
    const module = applicationModule(options, runs);
    const context = await NestFactory.createApplicationContext(module, { logger: logs, abortOnError: false });
    const input = new PassThrough();
    const output = new PassThrough();
    context.get(StdioServer).serve({ input, output, token: options.token });
    return new StdioClient(context, runs, logs, input, output);
  }

  /** Writes a line, or any bytes. */
  write(bytes: string | Buffer): void {
    this.input.write(bytes);
  }

  /** Sends a request and waits for its answer. */
  async request(request: Request): Promise<Message> {
    this.write(`${JSON.stringify(bodyOf(request))}\n`);
    return this.answerTo(request.id ?? 1);
  }

  /** The handshake that a client of 2025 begins with. */
  async initialize(): Promise<Message> {
    const params = {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'a-test', version: '1.0.0' },
    };
    const answer = await this.request({ era: '2025-11-25', method: 'initialize', params, id: 'hello' });
    this.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);
    return answer;
  }

  /** The first answer to this id that was not waited for yet. */
  async answerTo(id: unknown): Promise<Message> {
    for (;;) {
      const index = this.messages.findIndex((message) => message.id === id && !('method' in message));
      const [found] = index === -1 ? [] : this.messages.splice(index, 1);
      if (found !== undefined) return found;
      await once(this.#arrived, 'message');
    }
  }

  async observe<T>(work: () => Promise<T>): Promise<{ answer: T; records: AuditCall[]; ran: string[] }> {
    const reader = this.context.get(AuditReader);
    const before = (await reader.list({ limit: 1000 })).at(-1)?.seq ?? 0;
    const ranBefore = this.runs.names.length;
    const answer = await work();
    const records = (await reader.list({ limit: 1000 })).filter(({ seq }) => seq > before);
    return { answer, records, ran: this.runs.names.slice(ranBefore) };
  }

  async lastRecord(): Promise<AuditCall | undefined> {
    return (await this.context.get(AuditReader).list({ limit: 1 })).at(-1);
  }

  async close(): Promise<void> {
    this.input.end();
    await this.context.close();
  }
}
