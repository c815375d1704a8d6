import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { builtFile } from '../support/server-process.js';
import { Conversation } from './conversation.js';
import type { SdkClient } from './conversation.js';
import { HttpRecorder } from './http-recorder.js';
import type { StoryClient } from './story-client.js';

/** Version 1 of the official client, which most deployed clients are made of. It shakes hands the way of 2025. */
export const clientV1: StoryClient = {
  name: '@modelcontextprotocol/sdk 1',
  protocol: '2025-11-25',
  sessions: true,

  overHttp(resource, token, session) {
    const wire = new HttpRecorder();
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const options = {
      fetch: wire.fetch,
      requestInit: { headers },
      ...ONE_STREAM,
      ...(session && { sessionId: session }),
    };
    return new Conversation(
      () => connect(new StreamableHTTPClientTransport(new URL(resource), options)),
      wire,
    );
  },

  overStdio(environment) {
    const command = { command: process.execPath, args: [builtFile('src/stdio.js')], env: { ...environment } };
    return new Conversation(
      () => connect(new StdioClientTransport({ ...command, stderr: 'ignore' })),
      undefined,
    );
  },

  withOAuth(resource, authProvider) {
    const wire = new HttpRecorder();
    const transport = new StreamableHTTPClientTransport(new URL(resource), {
      fetch: wire.fetch,
      authProvider,
    });
    return {
      wire,
      talk: new Conversation(() => connect(transport), wire),
      finish: (callback) => transport.finishAuth(callback.searchParams.get('code') ?? ''),
    };
  },
};

/** What ended has ended: the story goes by what the server says, and the client is not to ask again meanwhile. */
const ONE_STREAM = {
  reconnectionOptions: {
    initialReconnectionDelay: 1000,
    maxReconnectionDelay: 1000,
    reconnectionDelayGrowFactor: 1,
    maxRetries: 0,
  },
};

async function connect(transport: StreamableHTTPClientTransport | StdioClientTransport): Promise<SdkClient> {
  const client = new Client({ name: 'sallyport-demo', version: '1.0.0' });
  await client.connect(transport);
  return {
    listTools: () => client.listTools(),
    callTool: (call, onprogress) => client.callTool(call, undefined, onprogress && { onprogress }),
    readResource: (resource) => client.readResource(resource),
    getPrompt: (prompt) => client.getPrompt(prompt),
    complete: (asked) => client.complete(asked),
    follow: async (uri, onChange) => {
      client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => onChange(params.uri));
      await client.subscribeResource({ uri });
      return { ended: undefined };
    },
    close: () => client.close(),
  };
}
