import { Transform, type TransformCallback, type Writable } from 'node:stream';
import type { ArrivalLimits } from '../arrive/limits.js';
import { parseStrictJson, StrictJsonError } from '../arrive/strict-json.js';
import { isConnectMethod, type Message } from '../call/operation.js';
import { isPlainObject } from '../frozen-json.js';
import type { RefusalAnswer } from '../gate/refusal.js';

const NEWLINE = 0x0a;

/** A line that holds a message of a method we serve. */
export interface Line {
  readonly message: Message;
  /** `undefined`: a notification. */
  readonly id: string | number | undefined;
  readonly body: Record<string, unknown>;
}

/** What becomes of a line: it goes on to the SDK, was dealt with here, or is answered with this error. */
export type Welcome = 'pass' | 'taken' | { readonly error: RefusalAnswer['error'] };

/** Asked of what the SDK answers by itself: the handshake, and what concerns streams. */
export type Doorkeeper = (line: Line) => Promise<Welcome>;

/**
 * The limits of arrival for stdio: takes what the client writes, passes on the lines that hold one message each, within
 * the limits and of a method we serve, and answers the others itself. Behind it stands the SDK, which reads leniently
 * and serves `subscriptions/listen` without asking anybody.
 */
export class StrictLines extends Transform {
  #pending: Buffer[] = [];
  #size = 0;
  #skipping = false;

  constructor(
    private readonly limits: ArrivalLimits,
    private readonly answers: Writable,
    private readonly canServe: (method: string) => boolean,
    private readonly doorkeeper: Doorkeeper,
  ) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#read(chunk).then(() => done(), done);
  }

  async #read(chunk: Buffer): Promise<void> {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#take(chunk.subarray(start, end));
      await this.#endLine();
      start = end + 1;
    }
    this.#take(chunk.subarray(start));
  }

  #take(bytes: Buffer): void {
    if (this.#skipping) return;
    this.#size += bytes.length;
    this.#pending.push(bytes);
    if (this.#size <= this.limits.maxBodyBytes) return;
    // What is too long is not kept: its rest is skipped up to the end of the line.
    this.#skipping = true;
    this.#pending = [];
    this.#answer(null, -32600, `The message is longer than ${this.limits.maxBodyBytes} bytes.`);
  }

  async #endLine(): Promise<void> {
    const bytes = this.#skipping ? undefined : Buffer.concat(this.#pending);
    this.#pending = [];
    this.#size = 0;
    this.#skipping = false;
    const line = bytes === undefined ? '' : this.#decode(bytes);
    if (line !== '' && (await this.#isWelcome(line))) this.push(`${line}\n`);
  }

  /** As over HTTP: bytes that are no UTF-8 are refused, not replaced by others. */
  #decode(bytes: Buffer): string {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes).trim();
    } catch {
      this.#answer(null, -32700, 'Parse error: The line is not UTF-8.');
      return '';
    }
  }

  async #isWelcome(line: string): Promise<boolean> {
    const message = this.#parse(line);
    return message !== undefined && this.#isServed(message) && (await this.#isLetIn(message));
  }

  #parse(line: string): Record<string, unknown> | undefined {
    try {
      const message = parseStrictJson(line, this.limits);
      if (isPlainObject(message)) return message;
      this.#answer(null, -32600, 'A JSON-RPC message is an object; batches are not served.');
      return undefined;
    } catch (error) {
      const detail = error instanceof StrictJsonError ? error.message : 'The line could not be read.';
      this.#answer(null, -32700, `Parse error: ${detail}`);
      return undefined;
    }
  }

  #isServed({ method, id }: Record<string, unknown>): boolean {
    if (method === undefined || (typeof method === 'string' && this.canServe(method))) return true;
    const isRequest = typeof id === 'string' || typeof id === 'number';
    if (isRequest) this.#answer(id, -32601, 'This method is not served here.');
    return false;
  }

  /** The handshake and streams are answered by the SDK itself, so whoever may not have them is turned away here. */
  async #isLetIn(body: Record<string, unknown>): Promise<boolean> {
    const { method, params } = body;
    const id = typeof body['id'] === 'string' || typeof body['id'] === 'number' ? body['id'] : undefined;
    if (typeof method !== 'string' || !isOfDoorkeeper(method, id !== undefined)) return true;
    const welcome = await this.doorkeeper({ message: { method, params }, id, body });
    if (typeof welcome !== 'string' && id !== undefined) this.#write(id, welcome.error);
    return welcome === 'pass';
  }

  #answer(id: string | number | null, code: number, message: string): void {
    this.#write(id, { code, message });
  }

  #write(id: string | number | null, error: object): void {
    this.answers.write(`${JSON.stringify({ jsonrpc: '2.0', id, error })}\n`);
  }
}

/** A notification that cancels may be about a stream of ours; every other notification asks for nothing. */
function isOfDoorkeeper(method: string, isRequest: boolean): boolean {
  if (!isRequest) return method === 'notifications/cancelled' || method === 'subscriptions/listen';
  return method === 'subscriptions/listen' || (isConnectMethod(method) && method !== 'resources/unsubscribe');
}
