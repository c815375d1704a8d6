import passport, { type Strategy } from 'passport';
import type { CredentialRequest } from '@sallyport/mcp';
import type { PassportStrategy } from '../identity.source.js';
import { CredentialRefused, IssuerUnavailable, type RefusalCode } from '../refusals.js';

/** What a strategy said, by value. */
export type StrategyAnswer =
  /** `draft` is what the mapping made of the user, or its promise. */
  | { readonly kind: 'user'; readonly user: object; readonly draft: unknown }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly error?: unknown }
  | { readonly kind: 'unavailable' };

/** A Passport of our own: what it runs cannot be changed by anybody's `passport.use()`. */
const runner = new passport.Passport();

/**
 * Runs one strategy through Passport's custom callback. The strategy sees a copy of the headers and a response that goes
 * nowhere; whatever it does other than succeed with an object authenticates nobody.
 */
export async function runStrategy(
  strategy: PassportStrategy,
  request: CredentialRequest,
  toDraft: (user: object) => unknown,
): Promise<StrategyAnswer> {
  try {
    return await new Promise<StrategyAnswer>((resolve) => {
      const reject = () => resolve({ kind: 'refused', code: 'rejected' });
      const middleware: unknown = runner.authenticate(
        isolated(strategy),
        { session: false },
        (error: unknown, user?: unknown, info?: unknown) => resolve(answerOf(error, user, info, toDraft)),
      );
      callMiddleware(middleware, requestFor(request), deafResponse(reject), reject);
    });
  } catch (error) {
    return answerOf(error, false, undefined, toDraft);
  }
}

/** The strategy registered under this name on the global Passport, where `@nestjs/passport` puts them. */
export function registeredStrategy(name: string): PassportStrategy | undefined {
  // Passport has no public way to ask; calling `passport.authenticate(name)` would lose what an async strategy throws.
  const find: unknown = Reflect.get(passport, '_strategy');
  const found: unknown = typeof find === 'function' ? Reflect.apply(find, passport, [name]) : undefined;
  return isStrategy(found) ? found : undefined;
}

export function isStrategy(value: unknown): value is PassportStrategy {
  return (
    typeof value === 'object' &&
    value !== null &&
    'authenticate' in value &&
    typeof value.authenticate === 'function'
  );
}

function answerOf(
  error: unknown,
  user: unknown,
  info: unknown,
  toDraft: (user: object) => unknown,
): StrategyAnswer {
  if (error instanceof IssuerUnavailable) return { kind: 'unavailable' };
  if (error instanceof CredentialRefused) return { kind: 'refused', code: error.code };
  if (error) return { kind: 'refused', code: 'error', error };
  if (isSomebody(user)) return mapped(user, toDraft);
  return { kind: 'refused', code: info instanceof CredentialRefused ? info.code : 'rejected' };
}

/** Mapped at once: a strategy that hands out one object for all has written the next user into it a moment later. */
function mapped(user: object, toDraft: (user: object) => unknown): StrategyAnswer {
  try {
    return { kind: 'user', user, draft: toDraft(user) };
  } catch (error) {
    return { kind: 'refused', code: 'error', error };
  }
}

/** `true`, `{}`, a string or an Error are what careless strategies succeed with; none of them is a person. */
function isSomebody(user: unknown): user is object {
  return (
    typeof user === 'object' &&
    user !== null &&
    !Array.isArray(user) &&
    !(user instanceof Error) &&
    Object.keys(user).length > 0
  );
}

/**
 * An object of its own for each attempt. Given the instance itself, Passport writes `success` and `fail` onto it, and of two
 * requests at a time the first would receive the user of the second. Catches what async code of the strategy throws,
 * which Passport would let end the process.
 */
function isolated(strategy: PassportStrategy): Strategy {
  const attempt: Strategy & { error(error: unknown): void } = Object.create(strategy);
  const guarded = (name: string) => {
    const method: unknown = Reflect.get(strategy, name);
    if (typeof method !== 'function') return;
    const value = (...given: unknown[]): void => {
      const result: unknown = Reflect.apply(method, attempt, given);
      Promise.resolve(result).catch((error: unknown) => attempt.error(error ?? new Error('rejected')));
    };
    Object.defineProperty(attempt, name, { value });
  };
  guarded('authenticate');
  // passport-jwt, passport-custom and their kin keep the application's verify function here, and drop its promise.
  guarded('_verify');
  return attempt;
}

/** Passport's middleware is typed for Express; here it runs without it. */
function callMiddleware(middleware: unknown, ...args: unknown[]): void {
  if (typeof middleware === 'function') Reflect.apply(middleware, undefined, args);
}

/** As much of a request as strategies for APIs read: no body, no query, no socket, no way to the real one. */
function requestFor(request: CredentialRequest): object {
  const headers = structuredClone(request.headers);
  const header = (name: string) => headers[name.toLowerCase()];
  return {
    headers,
    method: 'POST',
    url: '/',
    query: {},
    body: undefined,
    via: request.via,
    address: request.address,
    ip: request.address,
    get: header,
    header,
  };
}

/** Takes what `redirect()` writes and answers nobody. */
function deafResponse(ended: () => void): object {
  return { statusCode: 200, setHeader: () => undefined, getHeader: () => undefined, end: ended };
}
