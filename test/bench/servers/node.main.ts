import { z } from 'zod';
import { runTool, toolInput, toolNames } from '../tools.js';
import { servePlainly } from './plain-server.js';
import { readPlainSettings } from './settings.js';

// The same answer without MCP: what node:http and the load generator cost by themselves.
const { tools } = readPlainSettings();
const names = new Set(toolNames(tools));
const message = z.object({ id: z.number(), params: z.object({ name: z.string(), arguments: toolInput }) });

await servePlainly((_request, body, response) => {
  const { id, params } = message.parse(body);
  if (!names.has(params.name)) throw new Error(`There is no tool ${params.name}.`);
  const content = [{ type: 'text', text: runTool(params.name, params.arguments) }];
  const answer = JSON.stringify({ jsonrpc: '2.0', id, result: { resultType: 'complete', content } });
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(answer);
});
