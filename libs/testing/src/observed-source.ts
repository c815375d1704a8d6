import passport from 'passport';
import type { CredentialRequest, IdentitySource, PassportStrategy } from 'sallyport';
import { textOf } from './captured-output.js';

/** The actions of Passport: how a strategy answers. */
const ACTIONS = ['success', 'fail', 'error', 'redirect', 'pass'] as const;
export type Action = (typeof ACTIONS)[number];

/** What other frameworks hang a response on. */
const RESPONSES = ['res', 'response', 'reply'];

/** What was seen of a source while it judged one credential. */
export class Observation {
  readonly acts: { readonly action: Action; readonly given: readonly unknown[] }[] = [];
  readonly thrown: { readonly by: string; readonly error: unknown }[] = [];
  readonly users: { readonly user: unknown; readonly asFound: string }[] = [];
  /** Members of the request through which it looked for a response. */
  readonly responses: string[] = [];

  note(action: Action, given: readonly unknown[]): void {
    this.acts.push({ action, given });
    if (action === 'success') this.users.push({ user: given[0], asFound: textOf(given[0]) });
  }

  /** Does the work of `by`; what that throws is noted, and thrown on. */
  watch<T>(by: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.thrown.push({ by, error });
      throw error;
    }
  }

  /** Notes a rejection, and leaves it to whom it belongs. */
  watchPromise(by: string, value: unknown): void {
    Promise.resolve(value).catch((error: unknown) => this.thrown.push({ by, error }));
  }
}

/** The source, unchanged in what it does, with an eye on it. Members are called on the source: it may have private ones. */
export function observedSource(
  source: IdentitySource,
  strategy: PassportStrategy,
  seen: Observation,
  timeoutMs: number,
): IdentitySource {
  return {
    name: source.name,
    issuer: source.issuer,
    vouchesFor: source.vouchesFor,
    authorizationServer: source.authorizationServer,
    accepts: (request) => seen.watch('accepts()', () => source.accepts(request)),
    strategy: observedStrategy(strategy, seen),
    toPrincipal: (user) => {
      const draft: unknown = seen.watch('the mapping to a principal', () => source.toPrincipal(user));
      seen.watchPromise('the mapping to a principal', draft);
      return draft;
    },
    problems: (environment) => source.problems?.(environment) ?? [],
    timeoutMs,
  };
}

/** The strategy of a source: an instance, one that is registered, or one that is made for this server. */
export function strategyOf(source: IdentitySource, wiring: { resource: string; clock: () => number }) {
  const { strategy } = source;
  if (typeof strategy === 'function') return strategy(wiring);
  if (typeof strategy !== 'string') return strategy;
  const found = registered(strategy);
  if (found !== undefined) return found;
  throw new Error(
    `No strategy is registered as '${strategy}': make its provider, or call passport.use(), before the checks run.`,
  );
}

/** Passport has no public way to ask for a strategy. */
function registered(name: string): PassportStrategy | undefined {
  const find: unknown = Reflect.get(passport, '_strategy');
  return typeof find === 'function' ? Reflect.apply(find, passport, [name]) : undefined;
}

function observedStrategy(strategy: PassportStrategy, seen: Observation): PassportStrategy {
  return {
    name: strategy.name,
    authenticate(this: object, request: CredentialRequest, options: unknown): unknown {
      const attempt = attemptOf(strategy, this, seen);
      const given = [withoutResponse(request, seen), options];
      const authenticate: unknown = Reflect.get(strategy, 'authenticate');
      if (typeof authenticate !== 'function') throw new TypeError('The strategy has no authenticate().');
      const result: unknown = seen.watch('the strategy', () => Reflect.apply(authenticate, attempt, given));
      seen.watchPromise('the strategy', result);
      return result;
    },
  };
}

/** An object of its own for each attempt, as Passport makes them, whose actions are noted before they are done. */
function attemptOf(strategy: PassportStrategy, outer: object, seen: Observation): object {
  const attempt: object = Object.create(strategy);
  for (const action of ACTIONS) {
    Reflect.set(attempt, action, (...given: unknown[]) => {
      seen.note(action, given);
      const act: unknown = Reflect.get(outer, action);
      return typeof act === 'function' ? Reflect.apply(act, outer, given) : undefined;
    });
  }
  return attempt;
}

/** Has no response, and tells who looks for one. */
function withoutResponse(request: object, seen: Observation): object {
  for (const name of RESPONSES) {
    Object.defineProperty(request, name, {
      configurable: true,
      get: () => void seen.responses.push(name),
      set: () => {
        seen.responses.push(name);
      },
    });
  }
  return request;
}
