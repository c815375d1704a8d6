import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import type { Answer, Call } from './call.js';
import { percentile } from './statistics.js';

export interface Load {
  readonly port: number;
  readonly calls: readonly Call[];
  /** Calls that are under way at a time, each over a kept-alive connection of its own. */
  readonly concurrency: number;
  readonly seconds: number;
  readonly signal: AbortSignal;
}

/** What a load showed. Times are in milliseconds. */
export interface Sample {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** Calls that were answered as they must be, and those that were not; the opening ones too. */
  readonly answers: number;
  readonly failures: number;
  readonly firstFault: string | undefined;
}

interface Tally {
  answers: number;
  /** Answers that came within the time of the load. */
  inTime: number;
  /** How long each answer took, in milliseconds. */
  readonly times: number[];
  readonly faults: string[];
}

/** Keeps a number of calls under way for a time. */
export async function applyLoad(load: Load): Promise<Sample> {
  const run = await open(load);
  return run();
}

/** Both at the very same time. */
export async function applyBoth(one: Load, other: Load): Promise<[Sample, Sample]> {
  const [runOne, runOther] = await Promise.all([open(one), open(other)]);
  return Promise.all([runOne(), runOther()]);
}

/** Opens the connections; what it returns applies the load. */
async function open(load: Load): Promise<() => Promise<Sample>> {
  const agent = new Agent({ keepAlive: true, maxSockets: load.concurrency });
  const workers = Array.from({ length: load.concurrency }, (_, worker) => worker);
  const tally: Tally = { answers: 0, inTime: 0, times: [], faults: [] };
  // Connections are opened first: a busy server answers those it has before it accepts another. Opened anew for each
  // load, since an idle one may just be closing.
  await Promise.all(workers.map((worker) => callOnce(load, agent, worker, tally)));
  tally.times.length = 0;
  return async () => {
    const end = performance.now() + load.seconds * 1000;
    await Promise.all(workers.map((worker) => callUntil(end, load, agent, worker, tally)));
    agent.destroy();
    return sampleOf(load, tally);
  };
}

async function callUntil(end: number, load: Load, agent: Agent, worker: number, tally: Tally): Promise<void> {
  for (let turn = worker; performance.now() < end && !load.signal.aborted; turn += load.concurrency) {
    const answered = await callOnce(load, agent, turn, tally);
    if (answered && performance.now() <= end) tally.inTime += 1;
  }
}

async function callOnce({ port, calls }: Load, agent: Agent, turn: number, tally: Tally): Promise<boolean> {
  const call = calls[turn % calls.length];
  if (call === undefined) throw new Error('There is nothing to call.');
  const begun = performance.now();
  const fault = await attempt(port, call, agent);
  if (fault === undefined) {
    tally.times.push(performance.now() - begun);
    tally.answers += 1;
  } else {
    tally.faults.push(fault);
  }
  return fault === undefined;
}

/** What went wrong with one call. */
export async function attempt(port: number, call: Call, agent: Agent): Promise<string | undefined> {
  try {
    return call.faultOf(await send(port, call, agent));
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
  return { status: response.statusCode ?? 0, headers: response.headers, body: text };
}

function sampleOf(load: Load, { answers, inTime, times, faults }: Tally): Sample {
  times.sort((a, b) => a - b);
  return {
    perSecond: inTime / load.seconds,
    p50: percentile(times, 50),
    p99: percentile(times, 99),
    answers,
    failures: faults.length,
    firstFault: faults[0],
  };
}
