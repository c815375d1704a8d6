import { callsOf, listsOf, refusedCallsOf, type Call } from './call.js';
import type { Contender } from './contenders.js';

/** What each server may be shown. */
export interface Credentials {
  readonly tokens: readonly string[];
  /** An API key that is good at this server alone. */
  readonly key: string | undefined;
}

/** What a contender is called with, in its turns. */
export function callsFor(contender: Contender, credentials: Credentials): Call[] {
  const { tools, credential } = contender;
  if (credential === 'garbage') return garbageFor(contender, credentials);
  const good = goodOnes(credential, credentials);
  return contender.asked === 'lists' ? listsOf(tools, good) : callsOf(tools, good);
}

/** The dearest garbage there is, and the cheapest: forged tokens take turns with noise. */
export function garbageFor({ tools, settings }: Contender, { tokens }: Credentials): Call[] {
  const isLifted = 'failureLimit' in settings && settings.failureLimit === 'lifted';
  const garbage = tokens.flatMap((token, index) => [
    forged(token, tokens[(index + 1) % tokens.length] ?? ''),
    Buffer.from(crypto.randomUUID()).toString('base64url'),
  ]);
  return refusedCallsOf(tools, garbage, isLifted ? [401] : [401, 429]);
}

function goodOnes(credential: Contender['credential'], { tokens, key }: Credentials): readonly string[] {
  if (credential === 'none') return [];
  if (credential === 'token') return tokens;
  if (key === undefined) throw new Error('This server issued no key.');
  return [key];
}

/** Good in all but its signature, which is one of the same key for another token. */
function forged(token: string, other: string): string {
  const [header, payload] = token.split('.');
  return `${header}.${payload}.${other.split('.')[2]}`;
}
