/** Bounds on a JSON text, checked before anything is built from it. */
export interface JsonLimits {
  /** Deepest nesting of arrays and objects; the outermost one counts as 1. */
  readonly maxDepth: number;
  /** Most members and array items in the whole text. */
  readonly maxElements: number;
}

export type StrictJsonReason =
  'syntax' | 'duplicate_key' | 'depth' | 'elements' | 'prototype_key' | 'lone_surrogate';

const SENTENCES: Record<StrictJsonReason, string> = {
  syntax: 'The text is not valid JSON.',
  duplicate_key: 'An object has the same key twice.',
  depth: 'The JSON is nested too deeply.',
  elements: 'The JSON has too many elements.',
  prototype_key: 'An object has the key "__proto__".',
  lone_surrogate: 'A string is no Unicode text: it holds half of a surrogate pair.',
};

/** The text was refused. The message never quotes it. */
export class StrictJsonError extends Error {
  constructor(readonly reason: StrictJsonReason) {
    super(SENTENCES[reason]);
    this.name = 'StrictJsonError';
  }
}

/**
 * `JSON.parse` that refuses what parsers disagree about: a duplicate key means one thing to a proxy and another to us
 * (RFC 8259 §4), `__proto__` means something to careless code behind us, and half of a surrogate pair has no UTF-8 form, so
 * that databases, hashes and URIs each make something else of it (RFC 7493 §2.1). Limits hold before the value is built.
 *
 * @throws {@link StrictJsonError}
 */
export function parseStrictJson(text: string, limits: JsonLimits): unknown {
  scan(text, limits);
  try {
    return JSON.parse(text);
  } catch {
    throw new StrictJsonError('syntax');
  }
}

/** The keys seen so far of an open object; `undefined` for an open array. */
type Open = Set<string> | undefined;

/**
 * One pass over the tokens. It judges nesting, count and keys alone: whatever else is wrong with the syntax is left to
 * `JSON.parse`, which sees the same text, so a text that confuses this pass is refused there.
 */
function scan(text: string, limits: JsonLimits): void {
  const open: Open[] = [];
  const hasSurrogates = SURROGATE_ESCAPE.test(text);
  let elements = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') {
      const end = endOfString(text, at);
      if (isKey(text, end)) noteKey(open.at(-1), text.slice(at, end + 1));
      if (hasSurrogates) requirePairs(text.slice(at, end + 1));
      at = end;
    } else if (character === '{' || character === '[') {
      open.push(character === '{' ? new Set() : undefined);
      if (open.length > limits.maxDepth) throw new StrictJsonError('depth');
      elements += 1;
    } else if (character === '}' || character === ']') {
      open.pop();
    } else if (character === ',') {
      elements += 1;
    }
    if (elements > limits.maxElements) throw new StrictJsonError('elements');
  }
}

/** The bytes were UTF-8, so half of a pair can only be there as an escape. */
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;

function requirePairs(literal: string): void {
  if (SURROGATE_ESCAPE.test(literal) && !decodeString(literal).isWellFormed())
    throw new StrictJsonError('lone_surrogate');
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at;
  }
  throw new StrictJsonError('syntax');
}

const WHITE_SPACE = new Set([' ', '\t', '\n', '\r']);

function isKey(text: string, end: number): boolean {
  let at = end + 1;
  while (WHITE_SPACE.has(text[at] ?? '')) at += 1;
  return text[at] === ':';
}

function noteKey(keys: Open, literal: string): void {
  if (keys === undefined) throw new StrictJsonError('syntax');
  const key = literal.includes('\\') ? decodeString(literal) : literal.slice(1, -1);
  if (key === '__proto__') throw new StrictJsonError('prototype_key');
  if (keys.has(key)) throw new StrictJsonError('duplicate_key');
  keys.add(key);
}

function decodeString(literal: string): string {
  try {
    return String(JSON.parse(literal));
  } catch {
    throw new StrictJsonError('syntax');
  }
}
