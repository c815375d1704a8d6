import { Transform, type TransformCallback, type Writable } from 'node:stream';
import type { ArrivalLimits } from '../arrive/limits.js';
import { parseStrictJson, StrictJsonError } from '../arrive/strict-json.js';
import { isServedMethod } from '../call/operation.js';
import { isPlainObject } from '../frozen-json.js';

const NEWLINE = 0x0a;

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
  ) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#take(chunk.subarray(start, end));
      this.#endLine();
      start = end + 1;
    }
    this.#take(chunk.subarray(start));
    done();
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

  #endLine(): void {
    const bytes = this.#skipping ? undefined : Buffer.concat(this.#pending);
    this.#pending = [];
    this.#size = 0;
    this.#skipping = false;
    const line = bytes === undefined ? '' : this.#decode(bytes);
    if (line !== '' && this.#isWelcome(line)) this.push(`${line}\n`);
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

  #isWelcome(line: string): boolean {
    try {
      return this.#isServed(parseStrictJson(line, this.limits));
    } catch (error) {
      const detail = error instanceof StrictJsonError ? error.message : 'The line could not be read.';
      this.#answer(null, -32700, `Parse error: ${detail}`);
      return false;
    }
  }

  #isServed(message: unknown): boolean {
    if (!isPlainObject(message)) {
      this.#answer(null, -32600, 'A JSON-RPC message is an object; batches are not served.');
      return false;
    }
    const { method, id } = message;
    if (method === undefined || (typeof method === 'string' && isServedMethod(method))) return true;
    const isRequest = typeof id === 'string' || typeof id === 'number';
    if (isRequest) this.#answer(id, -32601, 'This method is not served here.');
    return false;
  }

  #answer(id: string | number | null, code: number, message: string): void {
    this.answers.write(`${JSON.stringify({ jsonrpc: '2.0', id, error: { code, message } })}\n`);
  }
}
