import { TenancyError } from '../tenancy.errors.js';

export type Dialect = 'sqlite' | 'postgres';

/** One word of a statement. White space and comments are none. */
export interface Token {
  readonly kind: 'word' | 'quoted' | 'string' | 'parameter' | 'number' | 'punctuation';
  /** As written. */
  readonly text: string;
  /** Lower case, without quotes: names are compared more widely than a database does, never more narrowly. */
  readonly name: string;
  readonly start: number;
  readonly end: number;
  /** How many parentheses are open around it; a parenthesis itself stands outside. */
  readonly depth: number;
}

type Kind = Token['kind'] | 'space';

/** Longest form first. What no rule takes is one character of punctuation. */
type Rule = readonly [Kind, RegExp];

const WORD = /[A-Za-z_\u0080-\ufefe\uff00-\uffff][\w$\u0080-\uffff]*/y;
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const STRING = /'(?:[^']|'')*'/y;
const QUOTED = /"(?:[^"]|"")*"/y;
/** Exactly what both databases take for white space: what only one of them does is refused, as a byte order mark is. */
const SPACE = /[ \t\n\r\f]+/y;

const RULES: Readonly<Record<Dialect, readonly Rule[]>> = {
  postgres: [
    ['space', SPACE],
    ['space', /--[^\n\r]*/y],
    ['string', /[eE]'(?:[^'\\]|\\[\s\S]|'')*'/y],
    ['string', /[bBxXnN]'(?:[^']|'')*'/y],
    ['string', STRING],
    ['string', /\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$[\s\S]*?\$\1\$/y],
    ['quoted', QUOTED],
    ['parameter', /\$\d+/y],
    ['number', NUMBER],
    ['word', WORD],
  ],
  sqlite: [
    ['space', SPACE],
    // Other than for PostgreSQL, a carriage return does not end it.
    ['space', /--[^\n]*/y],
    ['space', /\/\*[\s\S]*?\*\//y],
    ['string', /[xX]?'(?:[^']|'')*'/y],
    ['quoted', QUOTED],
    ['quoted', /`(?:[^`]|``)*`/y],
    ['quoted', /\[[^\]]*\]/y],
    ['parameter', /\?\d*|[@:]\w+/y],
    ['number', NUMBER],
    ['word', WORD],
  ],
};

/**
 * Takes a statement apart.
 *
 * @throws TenancyError for what is no single, plain statement: unbalanced parentheses, an open quote or comment,
 *   several statements, names in Unicode escapes, texts in a row, control characters
 */
export function tokenize(sql: string, dialect: Dialect): readonly Token[] {
  // For a database, the statement ends there, wherever that is: in a comment, with all that was added after it.
  if (sql.includes('\0')) throw unreadable('it holds control characters');
  const tokens: Token[] = [];
  let depth = 0;
  for (let at = 0; at < sql.length;) {
    const { kind, end } = nextIn(sql, at, dialect);
    const text = sql.slice(at, end);
    if (text === ')') depth -= 1;
    if (depth < 0) throw unreadable('its parentheses do not match');
    if (kind !== 'space') tokens.push({ kind, text, name: nameOf(kind, text), start: at, end, depth });
    if (text === '(') depth += 1;
    at = end;
  }
  if (depth > 0) throw unreadable('its parentheses do not match');
  if (dialect === 'postgres' && tokens.some(isContinued)) throw unreadable('a text goes on in another');
  return single(tokens);
}

function nextIn(sql: string, at: number, dialect: Dialect): { kind: Kind; end: number } {
  if (dialect === 'postgres' && sql.startsWith('/*', at)) return { kind: 'space', end: commentEnd(sql, at) };
  if (dialect === 'postgres' && /[uU]&['"]/y.test(sql.slice(at, at + 3)))
    throw unreadable('it holds Unicode escapes');
  for (const [kind, rule] of RULES[dialect]) {
    rule.lastIndex = at;
    const found = rule.exec(sql);
    if (found !== null) return { kind, end: at + found[0].length };
  }
  return { kind: 'punctuation', end: at + punctuation(sql, at, dialect).length };
}

/** PostgreSQL reads a text that goes on in another line by the rules of the first: `E'a'` and then `'\''`. */
function isContinued({ kind, text }: Token, index: number, tokens: readonly Token[]): boolean {
  return kind === 'string' && text.startsWith("'") && tokens[index - 1]?.kind === 'string';
}

/** Comments of PostgreSQL nest. */
function commentEnd(sql: string, start: number): number {
  const marks = /\/\*|\*\//g;
  marks.lastIndex = start;
  let open = 0;
  for (let mark = marks.exec(sql); mark !== null; mark = marks.exec(sql)) {
    open += mark[0] === '/*' ? 1 : -1;
    if (open === 0) return marks.lastIndex;
  }
  throw unreadable('a comment does not end');
}

function punctuation(sql: string, at: number, dialect: Dialect): string {
  const character = sql.charAt(at);
  if (character < ' ' || '\u007f\ufeff'.includes(character)) throw unreadable('it holds control characters');
  if ('\'"`'.includes(character) && !(character === '`' && dialect === 'postgres'))
    throw unreadable('a quote does not end');
  if (sql.startsWith('/*', at)) throw unreadable('a comment does not end');
  if (character === '$') throw unreadable('a dollar sign stands alone');
  if (character === '[' && dialect === 'sqlite') throw unreadable('a bracket does not end');
  return character;
}

function nameOf(kind: Kind, text: string): string {
  if (kind !== 'quoted' && kind !== 'string') return text.toLowerCase();
  const quote = text.charAt(0);
  const inner = text.slice(1, -1);
  return (quote === '[' ? inner : inner.replaceAll(quote + quote, quote)).toLowerCase();
}

/** Without the semicolon at its end. */
function single(tokens: Token[]): readonly Token[] {
  if (tokens.at(-1)?.text === ';') tokens.pop();
  if (tokens.some(({ kind, text }) => kind === 'punctuation' && text === ';'))
    throw unreadable('it is more than one');
  return tokens;
}

function unreadable(why: string): TenancyError {
  return new TenancyError(
    'unscopable',
    `A statement cannot be read, and so not be scoped to a tenant: ${why}. Write it with a repository or a query builder.`,
  );
}
