import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { bodyOf, headersOf, type Json, type Request } from './messages.js';

/** An open stream of messages from the server, read as they come. */
export class EventStream {
  /** What came and was not yet taken. */
  readonly messages: Json[] = [];
  readonly #arrived = new PassThrough({ objectMode: true }).resume();
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  /** Resolves when the server, or {@link leave}, has ended the stream. */
  readonly ended: Promise<void>;

  private constructor(readonly response: Response) {
    this.#reader = response.body?.getReader();
    this.ended = this.#read();
  }

  get status(): number {
    return this.response.status;
  }

  /** Sends a message whose answer is a stream. */
  static post(url: string, request: Request): Promise<EventStream> {
    return EventStream.#open(url, {
      method: 'POST',
      body: JSON.stringify(bodyOf(request)),
      headers: headersOf(request),
    });
  }

  /** Opens the stream of a session. */
  static get(url: string, headers: Record<string, string>): Promise<EventStream> {
    return EventStream.#open(url, { headers: { Accept: 'text/event-stream', ...headers } });
  }

  static async #open(url: string, init: RequestInit): Promise<EventStream> {
    return new EventStream(await fetch(url, init));
  }

  /** The next message. */
  async next(): Promise<Json> {
    for (;;) {
      const message = this.messages.shift();
      if (message !== undefined) return message;
      await Promise.race([once(this.#arrived, 'message'), this.#failWhenEnded()]);
    }
  }

  /** Hangs up. */
  async leave(): Promise<void> {
    // Not by a signal: one that comes between the last bytes and the end leaves the reader waiting for ever (undici).
    await this.#reader?.cancel().catch(() => undefined);
    await this.ended;
  }

  async #failWhenEnded(): Promise<void> {
    await this.ended;
    if (this.messages.length === 0) throw new Error('The stream ended, and nothing more came.');
  }

  async #read(): Promise<void> {
    const isStream = this.response.headers.get('content-type')?.startsWith('text/event-stream') === true;
    let text = '';
    try {
      for (let read = await this.#reader?.read(); read?.done === false; read = await this.#reader?.read()) {
        text += Buffer.from(read.value).toString('utf8');
        if (isStream) text = this.#takeFrames(text);
      }
      if (!isStream && text !== '') this.#take(text);
    } catch {
      return; // It was cut off, by us or by the server: either way it is over.
    }
  }

  #takeFrames(text: string): string {
    const frames = text.split('\n\n');
    const rest = frames.pop() ?? '';
    const data = frames.flatMap((frame) => frame.split('\n')).filter((line) => line.startsWith('data: '));
    for (const line of data) this.#take(line.slice('data: '.length));
    return rest;
  }

  #take(json: string): void {
    this.messages.push(JSON.parse(json) as Json);
    this.#arrived.emit('message');
  }
}
