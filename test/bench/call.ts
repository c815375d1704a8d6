import { z } from 'zod';
import { runTool, toolNames } from './tools.js';

/** One `tools/call` of revision 2026-07-28, ready to be sent, and what must come back. */
export interface Call {
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: Buffer;
  readonly expected: string;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

const REVISION = '2026-07-28';
const ID = 1;

/** One call for each tool; the tokens take turns. Without tokens the calls carry no credential. */
export function callsOf(tools: number, tokens: readonly string[]): Call[] {
  return toolNames(tools).map((name, index) => callOf(name, tokens[index % tokens.length]));
}

function callOf(name: string, token: string | undefined): Call {
  const body = Buffer.from(JSON.stringify(messageOf(name)));
  const headers = {
    'Content-Type': 'application/json',
    'Content-Length': body.length,
    Accept: 'application/json, text/event-stream',
    'MCP-Protocol-Version': REVISION,
    'Mcp-Method': 'tools/call',
    'Mcp-Name': name,
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
  };
  return { headers, body, expected: runTool(name, { recordId: 'record-17', limit: 10 }) };
}

function messageOf(name: string): object {
  const envelope = {
    'io.modelcontextprotocol/protocolVersion': REVISION,
    'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1.0.0' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const params = { name, arguments: { recordId: 'record-17' }, _meta: envelope };
  return { jsonrpc: '2.0', id: ID, method: 'tools/call', params };
}

const goodAnswer = z.object({
  jsonrpc: z.literal('2.0'),
  id: z.literal(ID),
  result: z.object({
    resultType: z.literal('complete'),
    content: z.tuple([z.object({ type: z.literal('text'), text: z.string() })]),
    isError: z.literal(false).optional(),
  }),
});

/** What is wrong with an answer; `undefined` when it is exactly the result of this call. */
export function faultOf(call: Call, { status, body }: Answer): string | undefined {
  if (status !== 200) return `status ${status}: ${body.slice(0, 300)}`;
  const answer = goodAnswer.safeParse(jsonOf(body));
  if (answer.success && answer.data.result.content[0].text === call.expected) return undefined;
  return `not the expected result: ${body.slice(0, 300)}`;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return error;
  }
}
