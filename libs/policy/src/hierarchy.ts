/** Who includes whom, as configured: `{ 'crm:write': ['crm:read'] }`. Used for roles and for scopes alike. */
export type Inclusions = Readonly<Record<string, readonly string[]>>;

/** What each name grants: itself, and everything it includes, however far. */
export interface Hierarchy {
  /** The names that are granted by any of `names`. */
  expand(names: readonly string[]): ReadonlySet<string>;
  /** The names that grant this one: itself, and all that include it, however far. */
  grantersOf(name: string): readonly string[];
}

/** Computes the closure once, so that a decision only looks things up. */
export function hierarchyOf(inclusions: Inclusions): Hierarchy {
  const closure = new Map<string, readonly string[]>();
  for (const name of Object.keys(inclusions)) closure.set(name, [...reachable(inclusions, name)]);
  const granters = turned(closure);
  return {
    expand: (names) => new Set(names.flatMap((name) => closure.get(name) ?? [name])),
    grantersOf: (name) => granters.get(name) ?? [name],
  };
}

/** Every name that the configuration mentions. */
export function knownNames(inclusions: Inclusions): ReadonlySet<string> {
  return new Set(Object.entries(inclusions).flatMap(([name, included]) => [name, ...included]));
}

/** A name that includes itself by way of others, or `undefined`: two names that grant each other are a mistake. */
export function cyclicName(inclusions: Inclusions): string | undefined {
  return Object.keys(inclusions).find((name) =>
    includedBy(inclusions, name).some((next) => reachable(inclusions, next).has(name)),
  );
}

/** From what each name grants to what grants each name. */
function turned(closure: ReadonlyMap<string, readonly string[]>): ReadonlyMap<string, readonly string[]> {
  const granters = new Map<string, string[]>();
  for (const [name, granted] of closure) {
    for (const each of granted) granters.set(each, [...(granters.get(each) ?? [each]), name]);
  }
  return granters;
}

function reachable(inclusions: Inclusions, start: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const open = [start];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    open.push(...includedBy(inclusions, name));
  }
  return seen;
}

/** Own members only: a role named `constructor` includes nothing. */
function includedBy(inclusions: Inclusions, name: string): readonly string[] {
  return Object.hasOwn(inclusions, name) ? (inclusions[name] ?? []) : [];
}
