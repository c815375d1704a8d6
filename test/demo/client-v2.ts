import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { builtFile } from '../support/server-process.js';
import { Conversation } from './conversation.js';
import type { SdkClient } from './conversation.js';
import { HttpRecorder } from './http-recorder.js';
import type { StoryClient } from './story-client.js';

const PROTOCOL = '2026-07-28';

/** Version 2 of the official client, which is told to speak the current revision and nothing else. */
export const clientV2: StoryClient = {
  name: '@modelcontextprotocol/client 2',
  protocol: PROTOCOL,
  sessions: false,

  overHttp(resource, token) {
    const wire = new HttpRecorder();
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const options = { fetch: wire.fetch, requestInit: { headers } };
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
      // The whole query: this version checks who it is from (RFC 9207).
      finish: (callback) => transport.finishAuth(callback.searchParams),
    };
  },
};

async function connect(transport: StreamableHTTPClientTransport | StdioClientTransport): Promise<SdkClient> {
  const client = new Client(
    { name: 'sallyport-demo', version: '2.0.0' },
    { versionNegotiation: { mode: { pin: PROTOCOL } } },
  );
  await client.connect(transport);
  return {
    listTools: () => client.listTools(),
    callTool: (call, onprogress) => client.callTool(call, onprogress && { onprogress }),
    readResource: (resource) => client.readResource(resource),
    getPrompt: (prompt) => client.getPrompt(prompt),
    complete: (asked) => client.complete(asked),
    follow: async (uri, onChange) => {
      client.setNotificationHandler('notifications/resources/updated', ({ params }) => onChange(params.uri));
      const { closed } = await client.listen({ resourceSubscriptions: [uri] });
      return { ended: closed };
    },
    close: () => client.close(),
  };
}
