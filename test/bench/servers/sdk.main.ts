import type { IncomingMessage, ServerResponse } from 'node:http';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { runTool, toolInput, toolNames } from '../tools.js';
import { servePlainly } from './plain-server.js';
import { readPlainSettings } from './settings.js';

// The SDK as its documentation shows it: a new McpServer with every tool for each request. Nobody is asked who calls.
const { tools } = readPlainSettings();
const names = toolNames(tools);
const handler = createMcpHandler(newServer);

await servePlainly(async (request, body, response) => {
  await write(response, await handler.fetch(webRequest(request), { parsedBody: body }));
});

function newServer(): McpServer {
  const server = new McpServer({ name: 'bench', version: '1.0.0' });
  for (const name of names) {
    server.registerTool(
      name,
      { description: `Does what ${name} does.`, inputSchema: toolInput },
      (input) => ({
        content: [{ type: 'text', text: runTool(name, input) }],
      }),
    );
  }
  return server;
}

function webRequest({ headers: given, url }: IncomingMessage): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === 'string') headers.set(name, value);
  }
  return new Request(`http://127.0.0.1${url}`, { method: 'POST', headers });
}

async function write(response: ServerResponse, answer: Response): Promise<void> {
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  response.end(await answer.text());
}
