import type { AuditFilter } from '@sallyport/audit';

/** What an auditor asks for. */
export interface AuditQuery {
  readonly filter: Omit<AuditFilter, 'before' | 'tenant'>;
  /** Operators alone may ask for one. */
  readonly tenant: string | undefined;
  /** Of the page before, as it was answered. */
  readonly cursor: string | undefined;
}

/** It cannot be read; the message says what to write. */
export class AuditQueryError extends Error {
  override readonly name = 'AuditQueryError';
}

const KINDS = ['attempt', 'refusal', 'list', 'authentication', 'administration'] as const;
const DECISIONS = ['permit', 'refuse', 'hold'] as const;
const DEFAULT_LIMIT = 50;
const MOST_RECORDS = 200;
const LONGEST_TEXT = 512;

/** RFC 3339, with its zone: a time without one would be another here and there. */
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/;

type Parameters = ReadonlyMap<string, string>;

/**
 * The query of `GET /audit`: `entry`, `user`, `client`, `kind`, `decision`, `since`, `until`, `limit`, `cursor`, and for
 * operators `tenant`. Each may be said once; anything else is refused, because a filter that nobody applies shows too much.
 *
 * @param search such as `?user=priya&limit=20`
 * @throws AuditQueryError
 */
export function readAuditQuery(search: string, isOperator: boolean): AuditQuery {
  const parameters = parametersIn(search, isOperator);
  const text = (name: string) => parameters.get(name);
  const subject = text('user');
  const since = timeIn(parameters, 'since');
  const until = timeIn(parameters, 'until');
  const kind = wordIn(parameters, 'kind', KINDS);
  const decision = wordIn(parameters, 'decision', DECISIONS);
  const entry = text('entry');
  const client = text('client');
  return {
    filter: {
      limit: limitIn(parameters),
      ...(entry !== undefined && { entry }),
      ...(subject !== undefined && { subject }),
      ...(client !== undefined && { client }),
      ...(kind !== undefined && { kind }),
      ...(decision !== undefined && { decision }),
      ...(since !== undefined && { since }),
      ...(until !== undefined && { until }),
    },
    tenant: text('tenant'),
    cursor: text('cursor'),
  };
}

const NAMES = ['entry', 'user', 'client', 'kind', 'decision', 'since', 'until', 'limit', 'cursor'];

function parametersIn(search: string, isOperator: boolean): Parameters {
  const known = isOperator ? [...NAMES, 'tenant'] : NAMES;
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(search)) {
    if (!known.includes(name)) throw new AuditQueryError(`Ask by ${known.join(', ')}.`);
    if (parameters.has(name)) throw new AuditQueryError(`Say ${name} once.`);
    if (value === '' || value.length > LONGEST_TEXT || /\p{Cc}/u.test(value) || !value.isWellFormed())
      throw new AuditQueryError(
        `Write 1 to ${LONGEST_TEXT} characters for ${name}, without control characters.`,
      );
    parameters.set(name, value);
  }
  return parameters;
}

function limitIn(parameters: Parameters): number {
  const text = parameters.get('limit');
  if (text === undefined) return DEFAULT_LIMIT;
  const limit = Number(text);
  if (/^\d{1,3}$/.test(text) && limit >= 1 && limit <= MOST_RECORDS) return limit;
  throw new AuditQueryError(`Write a limit from 1 to ${MOST_RECORDS}.`);
}

function timeIn(parameters: Parameters, name: string): Date | undefined {
  const text = parameters.get(name);
  if (text === undefined) return undefined;
  const time = new Date(text);
  if (TIME.test(text) && !Number.isNaN(time.getTime())) return time;
  throw new AuditQueryError(`Write ${name} as a time such as 2026-11-21T08:00:00Z.`);
}

function wordIn<Word extends string>(
  parameters: Parameters,
  name: string,
  words: readonly Word[],
): Word | undefined {
  const text = parameters.get(name);
  if (text === undefined) return undefined;
  const word = words.find((one) => one === text);
  if (word !== undefined) return word;
  throw new AuditQueryError(`Write ${words.join(', ')} for ${name}.`);
}
