/** Level 1 of RFC 6570 alone: `{name}`. Operators such as `{+path}` would let a value reach across path segments. */
const LEVEL_1 = /^(?:[^{}\s]|\{[A-Za-z_][A-Za-z0-9_]*\})+$/;

const VARIABLE = /\{[^}]*\}/g;

/** Says what is wrong with the `uri` of a resource, or nothing. */
export function resourceUriFault(uri: unknown): string | undefined {
  if (typeof uri !== 'string' || uri === '') return 'has no uri: write one such as docs://{slug}';
  if (!LEVEL_1.test(uri)) {
    return `has the uri "${uri}": write a URI or a template with plain {names} (RFC 6570 level 1) such as docs://{slug}`;
  }
  if (!/^[a-z][a-z0-9+.-]*:/i.test(uri))
    return `has the uri "${uri}" without a scheme: write one such as docs://{slug}`;
  const names = uri.match(VARIABLE) ?? [];
  if (new Set(names).size !== names.length) return `has the uri "${uri}" in which a name stands twice`;
  if (/\}[^/]*\{/.test(uri)) {
    return `has the uri "${uri}" with two {names} in one segment, where nobody can tell them apart: put a / between them`;
  }
  return undefined;
}

export function isTemplate(uri: string): boolean {
  return uri.includes('{');
}

/**
 * The variables of a URI under a template, or `undefined` when it does not match. Each value has exactly one spelling
 * that matches: percent-encoded dots and slashes, `..`, and needless escapes are other spellings, and match nothing.
 */
export function matchTemplate(template: string, uri: string): Record<string, string> | undefined {
  // Half of a surrogate pair has no percent-encoded form, so nothing is named so.
  if (uri.length > LONGEST_URI || !uri.isWellFormed()) return undefined;
  const matched = patternOf(template).exec(uri);
  if (matched === null) return undefined;
  const variables: Record<string, string> = {};
  for (const [index, name] of (template.match(VARIABLE) ?? []).entries()) {
    const value = canonicalVariable(matched[index + 1] ?? '');
    if (value === undefined) return undefined;
    variables[name.slice(1, -1)] = value;
  }
  return variables;
}

/** The names of the variables of a template, in their order. */
export function templateVariables(template: string): string[] {
  return (template.match(VARIABLE) ?? []).map((variable) => variable.slice(1, -1));
}

/**
 * Whether one URI could match both. Segments match alone, with one variable in each at most: what stands before and behind
 * it must agree as far as both say it.
 */
export function templatesOverlap(one: string, other: string): boolean {
  const [segments, others] = [one.split('/'), other.split('/')];
  return (
    segments.length === others.length &&
    segments.every((segment, index) => segmentsOverlap(segment, others[index] ?? ''))
  );
}

function segmentsOverlap(one: string, other: string): boolean {
  const [[before, behind], [otherBefore, otherBehind]] = [endsOf(one), endsOf(other)];
  if (behind === undefined && otherBehind === undefined) return one === other;
  if (behind === undefined) return isBetween(one, otherBefore, otherBehind ?? '');
  if (otherBehind === undefined) return isBetween(other, before, behind);
  return (
    (before.startsWith(otherBefore) || otherBefore.startsWith(before)) &&
    (behind.endsWith(otherBehind) || otherBehind.endsWith(behind))
  );
}

/** What stands before a variable and behind it; `undefined`: there is none. */
function endsOf(segment: string): readonly [before: string, behind: string | undefined] {
  const [before = '', behind] = segment.split(VARIABLE);
  return [before, behind];
}

function isBetween(literal: string, before: string, behind: string): boolean {
  return (
    literal.length > before.length + behind.length && literal.startsWith(before) && literal.endsWith(behind)
  );
}

/** How many characters of a template are fixed: of several that match, the one that says most is meant. */
export function literalLength(template: string): number {
  return template.replaceAll(VARIABLE, '').length;
}

const LONGEST_URI = 8192;
/** Templates come and go while the server runs: their patterns are made anew when there are too many. */
const MOST_PATTERNS = 10_000;
const patterns = new Map<string, RegExp>();

/** With one variable to a segment there is nothing to backtrack over: matching takes time in proportion to the URI. */
function patternOf(template: string): RegExp {
  const known = patterns.get(template);
  if (known !== undefined) return known;
  const literals = template
    .split(VARIABLE)
    .map((literal) => literal.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`));
  const pattern = new RegExp(`^${literals.join('([^/]+)')}$`, 'u');
  if (patterns.size >= MOST_PATTERNS) patterns.clear();
  patterns.set(template, pattern);
  return pattern;
}

function canonicalVariable(raw: string): string | undefined {
  let value: string;
  try {
    value = decodeURIComponent(raw);
  } catch {
    return undefined; // Not UTF-8 in percent-encoding: no resource has such a name.
  }
  if (encodeURIComponent(value) !== raw) return undefined;
  // Two spellings of one character would be two names of one thing (Unicode normalization, UAX #15).
  if (value.normalize('NFC') !== value) return undefined;
  // What stands behind may fold compatible characters: `／` is a slash then, and `‥` a way up.
  return reachesOut(value) || reachesOut(value.normalize('NFKC')) ? undefined : value;
}

function reachesOut(value: string): boolean {
  return value === '.' || value === '..' || /[/\\\p{Cc}]/u.test(value);
}
