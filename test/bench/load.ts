import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { faultOf, type Answer, type Call } from './call.js';
import { percentile } from './statistics.js';

export interface Load {
  readonly port: number;
  readonly calls: readonly Call[];
  /** Calls that are under way at a time, each over a kept-alive connection of its own. */
  readonly concurrency: number;
  /** Seconds before the measurement in which connections are opened and nothing is counted. */
  readonly settle: number;
  readonly seconds: number;
  readonly signal: AbortSignal;
}

/** What a load showed. Times are in milliseconds. */
export interface Sample {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly answers: number;
  /** Calls that were not answered with their result, in the settling time too. */
  readonly failures: number;
  readonly firstFault: string | undefined;
}

/** Keeps a number of calls under way for a time. A new connection for each load: an idle one may just be closing. */
export async function applyLoad(load: Load): Promise<Sample> {
  const agent = new Agent({ keepAlive: true, maxSockets: load.concurrency });
  const from = performance.now() + load.settle * 1000;
  const window = { from, to: from + load.seconds * 1000 };
  const times: number[] = [];
  const faults: string[] = [];
  const workers = Array.from({ length: load.concurrency }, (_, first) =>
    callUntil(load, agent, window, first, times, faults),
  );
  await Promise.all(workers);
  agent.destroy();
  return sampleOf(load, times, faults);
}

async function callUntil(
  { port, calls, concurrency, signal }: Load,
  agent: Agent,
  { from, to }: { readonly from: number; readonly to: number },
  first: number,
  times: number[],
  faults: string[],
): Promise<void> {
  for (let turn = first; performance.now() < to && !signal.aborted; turn += concurrency) {
    const call = calls[turn % calls.length];
    if (call === undefined) return;
    const begun = performance.now();
    const fault = await attempt(port, call, agent);
    const ended = performance.now();
    if (fault !== undefined) faults.push(fault);
    else if (ended >= from && ended <= to) times.push(ended - begun);
  }
}

/** What went wrong with one call. */
export async function attempt(port: number, call: Call, agent: Agent): Promise<string | undefined> {
  try {
    return faultOf(call, await send(port, call, agent));
  } catch (error) {
    return String(error);
  }
}

async function send(port: number, call: Call, agent: Agent): Promise<Answer> {
  const { headers, body } = call;
  const outgoing = request({ host: '127.0.0.1', port, path: '/mcp', method: 'POST', agent, headers });
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  response.setEncoding('utf8');
  let text = '';
  response.on('data', (chunk: string) => (text += chunk));
  await once(response, 'end');
  return { status: response.statusCode ?? 0, body: text };
}

function sampleOf(load: Load, times: number[], faults: readonly string[]): Sample {
  times.sort((a, b) => a - b);
  return {
    perSecond: times.length / load.seconds,
    p50: percentile(times, 50),
    p99: percentile(times, 99),
    answers: times.length,
    failures: faults.length,
    firstFault: faults[0],
  };
}
