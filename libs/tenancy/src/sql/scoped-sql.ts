/** Where the tenant goes. What is put there is a parameter, never a value. */
export const TENANT = Symbol('the tenant');

/** SQL with places for the tenant. */
export type Fragment = readonly (string | typeof TENANT)[];

/** A template of SQL: texts are put in as they are, fragments with their places for the tenant. */
export function sql(
  texts: readonly string[],
  ...parts: readonly (string | typeof TENANT | Fragment)[]
): Fragment {
  return texts.flatMap((text, index) => {
    const part = parts[index];
    if (part === undefined) return [text];
    return typeof part === 'string' || part === TENANT ? [text, part] : [text, ...part];
  });
}

/** Replaces the characters from `start` to `end`; inserts there when they are equal. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly by: Fragment;
}

/** The statement with all edits made. They do not overlap; at one place, they are made in the order given. */
export function edited(statement: string, edits: readonly Edit[]): Fragment {
  let at = 0;
  const parts: (string | typeof TENANT)[] = [];
  for (const { start, end, by } of edits.toSorted((one, other) => one.start - other.start)) {
    parts.push(statement.slice(at, start), ...by);
    at = end;
  }
  return [...parts, statement.slice(at)];
}

/** Is there a place for the tenant? Not in an INSERT that says it already: a parameter that is not used is an error. */
export function hasTenant(fragment: Fragment): boolean {
  return fragment.includes(TENANT);
}

/** The text, with `placeholder` where the tenant goes. */
export function render(fragment: Fragment, placeholder: string): string {
  return fragment.map((part) => (part === TENANT ? placeholder : part)).join('');
}
