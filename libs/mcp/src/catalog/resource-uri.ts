import { UriTemplate } from '@modelcontextprotocol/server';

/** Level 1 of RFC 6570 alone: `{name}`. Operators such as `{+path}` would let a value reach across path segments. */
const LEVEL_1 = /^(?:[^{}\s]|\{[A-Za-z_][A-Za-z0-9_]*\})+$/;

/** Says what is wrong with the `uri` of a resource, or nothing. */
export function resourceUriFault(uri: unknown): string | undefined {
  if (typeof uri !== 'string' || uri === '') return 'has no uri: write one such as docs://{slug}';
  if (!LEVEL_1.test(uri)) {
    return `has the uri "${uri}": write a URI or a template with plain {names} (RFC 6570 level 1) such as docs://{slug}`;
  }
  if (!/^[a-z][a-z0-9+.-]*:/i.test(uri))
    return `has the uri "${uri}" without a scheme: write one such as docs://{slug}`;
  const names = new UriTemplate(uri).variableNames;
  if (new Set(names).size !== names.length) return `has the uri "${uri}" in which a name stands twice`;
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
  const matched = new UriTemplate(template).match(uri);
  if (matched === null) return undefined;
  const variables: Record<string, string> = {};
  for (const [name, raw] of Object.entries(matched)) {
    const value = typeof raw === 'string' ? canonicalVariable(raw) : undefined;
    if (value === undefined) return undefined;
    variables[name] = value;
  }
  return variables;
}

function canonicalVariable(raw: string): string | undefined {
  let value: string;
  try {
    value = decodeURIComponent(raw);
  } catch {
    return undefined; // Not UTF-8 in percent-encoding: no resource has such a name.
  }
  if (encodeURIComponent(value) !== raw) return undefined;
  const unsafe = value === '.' || value === '..' || /[/\\\p{Cc}]/u.test(value);
  return unsafe ? undefined : value;
}
