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
  getPrompt(prompt: { name: string; arguments: Record<string, string> }): Promise<unknown>;
  complete(asked: {
    ref: { type: 'ref/prompt'; name: string };
    argument: { name: string; value: string };
  }): Promise<unknown>;
  /** Asks to be told of changes of one resource. */
  follow(uri: string, onChange: (uri: string) => void): Promise<Following>;
  close(): Promise<void>;
}

/** What a client gets for following a resource. */
export interface Following {
  /**
   * How the server ended it, in a word of the client. `undefined`: this client has no handle for it; its subscription is
   * part of a session.
   */
  readonly ended: Promise<string> | undefined;
}

/** What was asked last, as `policy explain` takes it. */
export interface Question {
  readonly kind: 'tool' | 'resource' | 'prompt';
  readonly target: string;
  readonly arguments?: Readonly<Record<string, unknown>>;
}

/** One client connected as somebody. It connects with its first call, so a refused connection is a refused call. */
export class Conversation {
  private connected: Promise<SdkClient> | undefined;
  /** The last question about one entry. */
  asked: Question | undefined;

  constructor(
    private readonly connect: () => Promise<SdkClient>,
    /** `undefined` over stdio, where an answer is what the client makes of it. */
    private readonly wire: HttpRecorder | undefined,
  ) {}

  listTools(): Promise<Answer> {
    this.asked = undefined;
    return this.ask('tools/list', (client) => client.listTools());
  }

  callTool(name: string, args: Record<string, unknown> = {}, onProgress?: OnProgress): Promise<Answer> {
    this.asked = { kind: 'tool', target: name, arguments: args };
    return this.ask('tools/call', (client) => client.callTool({ name, arguments: args }, onProgress));
  }

  readResource(uri: string): Promise<Answer> {
    this.asked = { kind: 'resource', target: uri };
    return this.ask('resources/read', (client) => client.readResource({ uri }));
  }

  getPrompt(name: string, args: Record<string, string> = {}): Promise<Answer> {
    this.asked = { kind: 'prompt', target: name, arguments: args };
    return this.ask('prompts/get', (client) => client.getPrompt({ name, arguments: args }));
  }

  /** Completes the beginning of an argument of a prompt. */
  complete(name: string, argument: string, value: string): Promise<Answer> {
    this.asked = { kind: 'prompt', target: name, arguments: { [argument]: value } };
    const ref = { type: 'ref/prompt', name } as const;
    return this.ask('completion/complete', (client) =>
      client.complete({ ref, argument: { name: argument, value } }),
    );
  }

  async follow(uri: string, onChange: (uri: string) => void): Promise<Following> {
    return (await this.client()).follow(uri, onChange);
  }

  /** The id of its session, when the server has given it one. */
  get session(): string | undefined {
    return this.wire?.session;
  }

  /** Whether the server can reach it by itself. */
  get hasStream(): boolean {
    return this.wire?.hasStream === true;
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
