import { setTimeout as sleep } from 'node:timers/promises';
import {
  IdentityAuthenticator,
  type Authentication,
  type CredentialRequest,
  type IdentitySource,
} from 'sallyport';
import { BAD_KINDS, badCredentials, type BadCredential } from './bad-credentials.js';
import { captureOutput } from './captured-output.js';
import { lowerCaseNames, secretsOf } from './credential-headers.js';
import { Observation, observedSource, strategyOf } from './observed-source.js';
import { supplied, type StrategyContractOptions, type Supply } from './strategy-contract.options.js';

/** One credential, how it was answered, and what was seen meanwhile. */
export interface Attempt {
  /** What was presented, in words. */
  readonly what: string;
  readonly headers: CredentialRequest['headers'];
  readonly answer: Authentication;
  readonly milliseconds: number;
  readonly seen: Observation;
}

/** An attempt with a credential that must authenticate nobody. */
export interface BadAttempt extends Attempt {
  readonly kind: string;
}

/** An attempt among many at a time, and the attempt by itself that it must be answered like. */
export interface CrowdedAttempt extends Attempt {
  readonly expected: Attempt;
}

/** Everything the checks judge by. Gathered once. */
export interface Evidence {
  /** The good credential, several times, one after the other. */
  readonly good: readonly Attempt[];
  readonly other: Attempt | undefined;
  readonly none: Attempt;
  readonly bad: readonly BadAttempt[];
  readonly crowd: readonly CrowdedAttempt[];
  readonly all: readonly Attempt[];
  readonly printed: string;
  readonly escaped: readonly unknown[];
  readonly source: IdentitySource;
  /** Those of the credentials that were supplied; what is made from them holds pieces of them. */
  readonly secrets: readonly string[];
  readonly mayBeSeen: readonly string[];
  readonly withinMs: number;
  /** Seconds since the epoch. */
  readonly now: number;
}

export const EXPIRED = 'an expired credential';
const RESOURCE = 'https://mcp.example.com/mcp';
const WITHIN_MS = 2_000;
const REPETITIONS = 5;
const CROWD = 100;
/** In which a strategy may show that it is not finished after all. */
const AFTERMATH_MS = 20;

export async function gatherEvidence(options: StrategyContractOptions): Promise<Evidence> {
  const ask = await questioner(options);
  const credentials = await credentialsOf(options);
  const { result, printed, escaped } = await captureOutput(async () => {
    const answers = await present(credentials, ask);
    await sleep(AFTERMATH_MS);
    return answers;
  });
  const { good, other, none, bad, crowd } = result;
  return {
    ...result,
    all: [...good, ...(other === undefined ? [] : [other]), none, ...bad, ...crowd],
    printed,
    escaped,
    source: ask.source,
    secrets: credentials.supplied.flatMap(secretsOf),
    mayBeSeen: options.mayBeSeen ?? [],
    withinMs: options.withinMs ?? WITHIN_MS,
    now: Math.floor((options.clock ?? Date.now)() / 1000),
  };
}

interface Questioner {
  (what: string, headers: CredentialRequest['headers']): Promise<Attempt>;
  readonly source: IdentitySource;
}

/** Asks as a server would, through the same door; nothing is remembered, so that each time the strategy is asked. */
async function questioner(options: StrategyContractOptions): Promise<Questioner> {
  const { resource = RESOURCE, withinMs = WITHIN_MS, clock = Date.now } = options;
  const source = typeof options.source === 'function' ? await options.source() : options.source;
  const strategy = strategyOf(source, { resource, clock });
  const server = { resource, serverName: 'strategy-contract', clock, tokenCache: { seconds: 0 } };
  const ask = async (what: string, headers: CredentialRequest['headers']): Promise<Attempt> => {
    const seen = new Observation();
    const sources = [observedSource(source, strategy, seen, withinMs)];
    const authenticator = new IdentityAuthenticator({ ...server, sources });
    const start = performance.now();
    const answer = await authenticator.authenticate({ headers, via: 'http', address: '192.0.2.1' });
    return { what, headers, answer, milliseconds: performance.now() - start, seen };
  };
  return Object.assign(ask, { source });
}

interface Credentials {
  readonly good: CredentialRequest['headers'];
  readonly other: CredentialRequest['headers'] | undefined;
  readonly bad: readonly BadCredential[];
  readonly supplied: readonly CredentialRequest['headers'][];
}

async function credentialsOf({
  good,
  other,
  expired,
  bad = [],
}: StrategyContractOptions): Promise<Credentials> {
  const goodHeaders = await headersOf(good);
  const examples: BadCredential[] = [];
  for (const { what, headers } of bad) examples.push({ kind: what, what, headers: await headersOf(headers) });
  if (expired !== undefined) {
    examples.push({ kind: EXPIRED, what: EXPIRED, headers: await headersOf(expired) });
  }
  const otherHeaders = other === undefined ? undefined : await headersOf(other);
  return {
    good: goodHeaders,
    other: otherHeaders,
    bad: [...badCredentials(goodHeaders), ...examples],
    supplied: [goodHeaders, otherHeaders ?? {}, ...examples.map(({ headers }) => headers)],
  };
}

async function headersOf(supply: Supply) {
  return lowerCaseNames(await supplied(supply));
}

async function present({ good, other, bad }: Credentials, ask: Questioner) {
  const none = await ask('a request without a credential', {});
  const repeated: [Attempt, ...Attempt[]] = [await ask('the good credential', good)];
  for (let time = 2; time <= REPETITIONS; time += 1) {
    repeated.push(await ask(`the good credential, time ${time}`, good));
  }
  const another = other === undefined ? undefined : await ask('the other good credential', other);
  const refused = await Promise.all(
    bad.map(async ({ kind, what, headers }) => ({ kind, ...(await ask(what, headers)) })),
  );
  const crowd = await askAtOnce(ask, [repeated[0], another ?? repeated[0]], refused);
  return { good: repeated, other: another, none, bad: refused, crowd };
}

/** Good ones, and between them those that come closest to a good one. */
async function askAtOnce(
  ask: Questioner,
  good: readonly [Attempt, Attempt],
  bad: readonly BadAttempt[],
): Promise<CrowdedAttempt[]> {
  const close = bad.filter(({ kind }) => !BAD_KINDS.includes(kind) || CLOSE.has(kind));
  const templates = Array.from({ length: CROWD }, (_, index) => {
    const near = close[Math.floor(index / 3) % close.length];
    return index % 3 === 2 && near !== undefined ? near : good[index % 3 === 0 ? 0 : 1];
  });
  return Promise.all(
    templates.map(async (expected) => ({ ...(await ask(expected.what, expected.headers)), expected })),
  );
}

const CLOSE = new Set(['a credential with a changed character', 'a truncated credential', 'a forged token']);
