/** Where the rows live. */
export type DatabaseLocation =
  { readonly kind: 'sqlite'; readonly path: string } | { readonly kind: 'postgres'; readonly url: string };

/** Reads `sqlite:<path>`, `sqlite::memory:` or `postgres://user:password@host/database`. */
export function databaseLocation(text: string): DatabaseLocation | undefined {
  return text.startsWith('sqlite:') ? sqlite(text.slice('sqlite:'.length)) : postgres(text);
}

function sqlite(path: string): DatabaseLocation | undefined {
  // `sqlite://data/x` would silently mean `/data/x`: refuse the spelling instead of guessing.
  if (path === '' || path.startsWith('//') || path.includes('\0')) return undefined;
  return { kind: 'sqlite', path };
}

function postgres(text: string): DatabaseLocation | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, hostname, pathname } = new URL(text);
  const known = protocol === 'postgres:' || protocol === 'postgresql:';
  return known && hostname !== '' && pathname.length > 1 ? { kind: 'postgres', url: text } : undefined;
}
