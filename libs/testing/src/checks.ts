import type { Authentication } from 'sallyport';
import { BAD_KINDS } from './bad-credentials.js';
import { textOf } from './captured-output.js';
import { EXPIRED, type Attempt, type Evidence } from './evidence.js';
import { quotes } from './quotations.js';

/** A promise, and how to see in the evidence that it is broken: a sentence that says what is wrong. */
export interface Check {
  readonly name: string;
  readonly problem: (evidence: Evidence) => string | undefined;
}

/** Expiry may be judged with some tolerance for clocks, but not with this much. */
const AN_HOUR = 3_600;

/** What is promised of every source; `examples` are the further bad credentials of the team. */
export function checksFor(examples: readonly string[]): Check[] {
  return [
    { name: 'turns the good credential into exactly one frozen principal', problem: goodProblem },
    { name: 'finds the same issuer and subject every time', problem: changingProblem },
    { name: 'takes nobody for somebody else when 100 come at once', problem: crowdProblem },
    { name: 'leaves what it found for one request alone in another', problem: sharedProblem },
    { name: 'leaves a request without a credential anonymous', problem: anonymousProblem },
    ...[...BAD_KINDS, ...examples].map(refusing),
    { name: `refuses ${EXPIRED}`, problem: expiryProblem },
    { name: 'is not remembered beyond its expiry', problem: rememberedProblem },
    { name: 'answers every request in time', problem: slowProblem },
    { name: 'answers every request once', problem: repeatedAnswerProblem },
    { name: 'lets no exception escape', problem: escapeProblem },
    { name: 'keeps the credential out of errors and reasons', problem: errorLeakProblem },
    { name: 'keeps the credential out of logs and output', problem: outputLeakProblem },
    { name: 'keeps the credential out of the principal', problem: principalLeakProblem },
    { name: 'neither looks for a response nor writes one', problem: responseProblem },
  ];
}

function goodProblem(evidence: Evidence): string | undefined {
  const { good, other } = evidence;
  const attempts = other === undefined ? good : [...good, other];
  const nobody = attempts.find(({ answer }) => answer.kind !== 'principal');
  if (nobody !== undefined)
    return `${sentence(nobody.what)} authenticated nobody: ${whyNobody(nobody, evidence)}.`;
  const loose = attempts.find(
    ({ answer }) => answer.kind === 'principal' && !Object.isFrozen(answer.principal),
  );
  return loose && `The principal of ${loose.what} can be changed.`;
}

function changingProblem({ good: [first, ...later] }: Evidence): string | undefined {
  const changed = later.find(({ answer }) => identity(answer) !== identity(first?.answer));
  return (
    changed &&
    `The good credential was ${identity(first?.answer)} at first, and ${identity(changed.answer)} when it came again.`
  );
}

function crowdProblem({ crowd, good, other }: Evidence): string | undefined {
  if (other !== undefined && identity(other.answer) === identity(good[0]?.answer)) {
    return `Both good credentials are ${identity(other.answer)}: they must belong to two callers, and be told apart.`;
  }
  const wrong = crowd.filter(({ answer, expected }) => identity(answer) !== identity(expected.answer));
  const [first] = wrong;
  return (
    first &&
    `${wrong.length} of ${crowd.length} requests at once were answered wrongly: ${first.what} was ${identity(first.answer)} instead of ${identity(first.expected.answer)}. Keep what belongs to one request out of the strategy and of module variables.`
  );
}

function sharedProblem({ all }: Evidence): string | undefined {
  const changed = all.find(({ seen }) => seen.users.some(({ user, asFound }) => textOf(user) !== asFound));
  return (
    changed &&
    `What the strategy found for ${changed.what} was changed while it answered others: give each request an object of its own.`
  );
}

function anonymousProblem({ none: { answer } }: Evidence): string | undefined {
  if (answer.kind === 'anonymous') return undefined;
  if (answer.kind === 'principal') return `A request without a credential was taken for ${identity(answer)}.`;
  return 'accepts() takes a request without a credential for its own, so nobody could use public entries: let it look for the header that the credential travels in.';
}

function refusing(kind: string): Check {
  return {
    name: `refuses ${kind}`,
    problem: ({ bad }) => {
      const taken = bad.find((attempt) => attempt.kind === kind && attempt.answer.kind === 'principal');
      return taken && `${sentence(taken.what)} was taken for ${identity(taken.answer)}.`;
    },
  };
}

function expiryProblem({ bad, all, now }: Evidence): string | undefined {
  const taken = bad.find(({ kind, answer }) => kind === EXPIRED && answer.kind === 'principal');
  if (taken !== undefined) return `An expired credential was taken for ${identity(taken.answer)}.`;
  const late = all.find(({ answer }) => (expiryOf(answer) ?? Infinity) <= now);
  return (
    late &&
    `${sentence(late.what)} was taken for ${identity(late.answer)}, although by its own credential.expiresAt it has expired.`
  );
}

function rememberedProblem({ source, all }: Evidence): string | undefined {
  const outlived = all.find(({ answer, seen }) => {
    const expiry = expiryOf(answer);
    if (expiry === undefined) return false;
    return seen.users.some(({ user }) => source.isStillGood?.(user, (expiry + AN_HOUR) * 1000) === true);
  });
  return outlived && `isStillGood() says yes to ${outlived.what} an hour after it expired.`;
}

function slowProblem({ all, withinMs }: Evidence): string | undefined {
  const slow = all.find(
    ({ answer, milliseconds }) =>
      milliseconds > withinMs || (answer.kind === 'failed' && answer.reason === 'timeout'),
  );
  return (
    slow &&
    `There was no answer to ${slow.what} within ${withinMs} ms: the strategy must call success(), fail() or error() whatever comes.`
  );
}

function repeatedAnswerProblem({ all }: Evidence): string | undefined {
  const twice = all.find(({ seen }) => seen.acts.length > 1);
  return (
    twice &&
    `The strategy answered ${twice.what} ${twice.seen.acts.length} times: ${twice.seen.acts.map(({ action }) => `${action}()`).join(', then ')}. Return after the first.`
  );
}

function escapeProblem(evidence: Evidence): string | undefined {
  const { all, escaped } = evidence;
  if (escaped.length > 0) {
    return `A promise or callback of the strategy failed where nobody could catch it, which would end the process: ${nameOf(escaped[0], evidence)}.`;
  }
  const attempt = all.find(({ seen }) => seen.thrown.length > 0);
  const thrown = attempt?.seen.thrown[0];
  return (
    thrown &&
    `On ${attempt?.what}, ${thrown.by} threw ${nameOf(thrown.error, evidence)}: a credential that is not good is refused with fail(), not with an exception.`
  );
}

function errorLeakProblem({ all, secrets, mayBeSeen }: Evidence): string | undefined {
  const leak = all.find(({ answer, seen }) => {
    const said = seen.acts.filter(({ action }) => action !== 'success').flatMap(({ given }) => given);
    const texts = [
      ...said,
      ...seen.thrown.map(({ error }) => error),
      'reason' in answer ? answer.reason : '',
    ];
    return quotes(texts.map(textOf).join('\n'), secrets, mayBeSeen);
  });
  return leak && `The error or failure that the strategy gave for ${leak.what} quotes the credential.`;
}

function outputLeakProblem({ printed, escaped, secrets, mayBeSeen }: Evidence): string | undefined {
  const output = [printed, ...escaped.map(textOf)].join('\n');
  return quotes(output, secrets, mayBeSeen)
    ? 'Something was logged or printed that quotes a credential.'
    : undefined;
}

function principalLeakProblem({ all, secrets, mayBeSeen }: Evidence): string | undefined {
  const leak = all.find(
    ({ answer }) => answer.kind === 'principal' && quotes(textOf(answer.principal), secrets, mayBeSeen),
  );
  return (
    leak &&
    `The principal of ${leak.what} holds a piece of the credential; handlers and records would see it.`
  );
}

function responseProblem({ all }: Evidence): string | undefined {
  const redirected = all.find(({ seen }) => seen.acts.some(({ action }) => action === 'redirect'));
  if (redirected !== undefined) {
    return `The strategy answered ${redirected.what} with a redirect; nobody follows one here, so refuse with fail().`;
  }
  const looking = all.find(({ seen }) => seen.responses.length > 0);
  return (
    looking &&
    `On ${looking.what} the strategy reached for request.${looking.seen.responses[0]}: there is no response.`
  );
}

/** Who was authenticated, in words; the same words are the same caller. */
function identity(answer: Authentication | undefined): string {
  if (answer?.kind !== 'principal') return 'nobody';
  return `${JSON.stringify(answer.principal.subject)} of ${JSON.stringify(answer.principal.issuer)}`;
}

function expiryOf(answer: Authentication): number | undefined {
  return answer.kind === 'principal' ? answer.principal.credential.expiresAt : undefined;
}

function whyNobody({ answer, seen }: Attempt, evidence: Evidence): string {
  const why = 'reason' in answer ? `it was refused as '${answer.reason}'` : `the answer was '${answer.kind}'`;
  const error = seen.thrown[0]?.error ?? seen.acts.find(({ action }) => action !== 'success')?.given[0];
  return error === undefined ? why : `${why} because of ${nameOf(error, evidence)}`;
}

/** The error in one line; its class alone, when its message quotes a credential. */
function nameOf(error: unknown, { secrets, mayBeSeen }: Evidence): string {
  const kind = error instanceof Error ? error.name : typeof error;
  const message = error instanceof Error ? error.message : textOf(error);
  return quotes(message, secrets, mayBeSeen)
    ? `${kind} (which quotes the credential)`
    : `${kind} (${message})`;
}

function sentence(what: string): string {
  return what.charAt(0).toUpperCase() + what.slice(1);
}
