import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { runTool, toolNames } from './tools.js';

/** One request of revision 2026-07-28, ready to be sent. */
export interface Call {
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: Buffer;
  /** What is wrong with an answer; `undefined` when it is what must come back. */
  readonly faultOf: (answer: Answer) => string | undefined;
}

type Fault = string | undefined;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const REVISION = '2026-07-28';
const ID = 1;

/** One call for each tool; the credentials take turns. Without any the calls carry none. */
export function callsOf(tools: number, credentials: readonly string[]): Call[] {
  return toolNames(tools).map((name, index) => {
    const expected = runTool(name, { recordId: 'record-17', limit: 10 });
    return callOf(name, credentials[index % credentials.length], (answer) => faultOfResult(answer, expected));
  });
}

/** The same calls with credentials that are not good: each must be refused, with one of these statuses. */
export function refusedCallsOf(
  tools: number,
  garbage: readonly string[],
  statuses: readonly RefusalStatus[],
): Call[] {
  return toolNames(tools).map((name, index) =>
    callOf(name, garbage[index % garbage.length], (answer) => faultOfRefusal(answer, statuses)),
  );
}

/** A `tools/list` for each credential, which must show every tool. */
export function listsOf(tools: number, credentials: readonly string[]): Call[] {
  const expected = toolNames(tools).join();
  const faultOf = (answer: Answer) => faultOfList(answer, expected);
  return credentials.map((token) => requestOf({ method: 'tools/list' }, {}, token, faultOf));
}

function callOf(name: string, token: string | undefined, faultOf: Call['faultOf']): Call {
  const params = { name, arguments: { recordId: 'record-17' } };
  return requestOf({ method: 'tools/call', name }, params, token, faultOf);
}

function requestOf(
  { method, name }: { readonly method: string; readonly name?: string },
  params: object,
  token: string | undefined,
  faultOf: Call['faultOf'],
): Call {
  const message = { jsonrpc: '2.0', id: ID, method, params: { ...params, _meta: ENVELOPE } };
  const body = Buffer.from(JSON.stringify(message));
  const headers = {
    'Content-Type': 'application/json',
    'Content-Length': body.length,
    Accept: 'application/json, text/event-stream',
    'MCP-Protocol-Version': REVISION,
    'Mcp-Method': method,
    ...(name === undefined ? {} : { 'Mcp-Name': name }),
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
  };
  return { headers, body, faultOf };
}

const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': REVISION,
  'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

const goodList = z.object({
  result: z.object({
    tools: z.array(z.object({ name: z.string() })),
    nextCursor: z.undefined().optional(),
  }),
});

/** `undefined` when it shows exactly these, in this order. */
function faultOfList({ status, body }: Answer, expected: string): Fault {
  const answer = goodList.safeParse(jsonOf(body));
  const names = answer.success ? answer.data.result.tools.map(({ name }) => name).join() : undefined;
  if (status === 200 && names === expected) return undefined;
  return `status ${status}, not the expected list: ${body.slice(0, 300)}`;
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

/** `undefined` when it is exactly the result of the call. */
function faultOfResult({ status, body }: Answer, expected: string): Fault {
  if (status !== 200) return `status ${status}: ${body.slice(0, 300)}`;
  const answer = goodAnswer.safeParse(jsonOf(body));
  if (answer.success && answer.data.result.content[0].text === expected) return undefined;
  return `not the expected result: ${body.slice(0, 300)}`;
}

/** Each says by a header what to do next. */
const ADVICE = { 401: 'www-authenticate', 429: 'retry-after' } as const;

export type RefusalStatus = keyof typeof ADVICE;

const refusal = z.object({ error: z.object({ code: z.int() }), result: z.undefined().optional() });

/** `undefined` when nothing but a refusal came back, in one of these ways. */
function faultOfRefusal({ status, headers, body }: Answer, statuses: readonly RefusalStatus[]): Fault {
  const known = statuses.find((one) => one === status);
  if (known === undefined) return `status ${status} is not ${statuses.join(' or ')}: ${body.slice(0, 300)}`;
  if (headers[ADVICE[known]] === undefined) return `status ${status} without ${ADVICE[known]}`;
  return refusal.safeParse(jsonOf(body)).success ? undefined : `not a refusal: ${body.slice(0, 300)}`;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return error;
  }
}
