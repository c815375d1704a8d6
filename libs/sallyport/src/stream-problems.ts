import { DEFAULT_SESSIONS, DEFAULT_SUBSCRIPTIONS, type Problem } from '@sallyport/mcp';
import type { SallyportOptions } from './sallyport.options.js';

/** What is wrong with the bounds on streams and sessions. An unknown name would leave a bound at its default in silence. */
export function streamProblems({ subscriptions, sessions }: SallyportOptions): Problem[] {
  return [
    ...(subscriptions === false ? [] : boundProblems('subscriptions', subscriptions, DEFAULT_SUBSCRIPTIONS)),
    ...boundProblems('sessions', sessions, DEFAULT_SESSIONS),
  ];
}

function boundProblems(option: string, given: unknown, known: object): Problem[] {
  if (given === undefined) return [];
  const example = JSON.stringify(known)
    .replaceAll('"', '')
    .replaceAll(/([:,])/g, '$1 ');
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    return [{ code: option, message: `${option} is no set of bounds: write ${option}: ${example}.` }];
  return Object.entries(given)
    .filter(([name, value]) => !(name in known) || !Number.isSafeInteger(value) || Number(value) < 1)
    .map(([name]) => ({
      code: option,
      message: `${option}.${name} is unknown, or no whole number of at least 1: write ${option}: ${example}.`,
    }));
}
