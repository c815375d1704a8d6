import { fieldsOf } from './answer.js';
import type { Answer } from './answer.js';
import type { HttpRecorder } from './http-recorder.js';

export type OnProgress = (progress: { readonly progress: number }) => void;

/** What both versions of the SDK's client can do, and all the story needs. */
export interface SdkClient {
  listTools(): Promise<unknown>;
  /** Only who listens to progress asks for it. */
  callTool(
    call: { name: string; arguments: Record<string, unknown> },
    onProgress?: OnProgress,
  ): Promise<unknown>;
  readResource(resource: { uri: string }): Promise<unknown>;
  close(): Promise<void>;
}

/** One client connected as somebody. It connects with its first call, so a refused connection is a refused call. */
export class Conversation {
  private connected: Promise<SdkClient> | undefined;

  constructor(
    private readonly connect: () => Promise<SdkClient>,
    /** `undefined` over stdio, where an answer is what the client makes of it. */
    private readonly wire: HttpRecorder | undefined,
  ) {}

  listTools(): Promise<Answer> {
    return this.ask('tools/list', (client) => client.listTools());
  }

  callTool(name: string, args: Record<string, unknown> = {}, onProgress?: OnProgress): Promise<Answer> {
    return this.ask('tools/call', (client) => client.callTool({ name, arguments: args }, onProgress));
  }

  readResource(uri: string): Promise<Answer> {
    return this.ask('resources/read', (client) => client.readResource({ uri }));
  }

  /** Connects ahead of the first call. */
  async connectNow(): Promise<void> {
    await this.client();
  }

  async close(): Promise<void> {
    // Who could not connect has nothing to close, and the call that failed has said so.
    const client = await this.connected?.catch(() => undefined);
    await client?.close();
  }

  private client(): Promise<SdkClient> {
    this.connected ??= this.connect();
    return this.connected;
  }

  private async ask(method: string, send: (client: SdkClient) => Promise<unknown>): Promise<Answer> {
    const mark = this.wire?.mark ?? 0;
    try {
      const result = fieldsOf(await send(await this.client()));
      return this.wire?.answerTo(method, mark) ?? { ...NOTHING, result };
    } catch (error) {
      const answer = this.wire?.answerTo(method, mark) ?? answerOfError(error);
      // The server gave a result and the client did not like it: that is no refusal.
      if (answer === undefined || answer.result !== undefined) throw error;
      return answer;
    }
  }
}

const NOTHING: Answer = {
  status: undefined,
  challenge: undefined,
  raw: undefined,
  result: undefined,
  error: undefined,
};

/** Both versions throw an error with the code and the data of the JSON-RPC error. */
function answerOfError(error: unknown): Answer | undefined {
  const { code, data } = error instanceof Error ? { code: undefined, data: undefined, ...error } : {};
  if (typeof code !== 'number') return undefined;
  return { ...NOTHING, error: { code, data: fieldsOf(data) } };
}
