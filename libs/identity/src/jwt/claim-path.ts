import { isRecord } from '../is-record.js';

/**
 * Where a claim is: its name as it stands (`roles`, `https://acme.example/tenant`), or a JSON Pointer (RFC 6901) into a
 * structured claim (`/realm_access/roles`). A name never means a path, so that a dot in it cannot be misread.
 */
export type ClaimPath = string;

/** The value there; `undefined` when it is absent or `null`. */
export function claimAt(claims: Readonly<Record<string, unknown>>, path: ClaimPath): unknown {
  let value: unknown = claims;
  for (const name of segments(path)) {
    if (!isRecord(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value ?? undefined;
}

/** The first that is present. */
export function firstClaimAt(
  claims: Readonly<Record<string, unknown>>,
  paths: readonly ClaimPath[],
): unknown {
  return paths.map((path) => claimAt(claims, path)).find((value) => value !== undefined);
}

/** One path or several, as several. */
export function claimPaths(value: ClaimPath | readonly ClaimPath[]): readonly ClaimPath[] {
  return typeof value === 'string' ? [value] : value;
}

/**
 * What people may write about themselves (Auth0 and Supabase call it `user_metadata`) says nothing about what they may do.
 *
 * @throws TypeError
 */
export function assertNotUserEditable(paths: readonly ClaimPath[], what: string): void {
  for (const path of paths) {
    if (path === '') throw new TypeError(`The claim for ${what} has no name.`);
    if (segments(path).some((segment) => /user_?metadata$/i.test(segment))) {
      throw new TypeError(
        `Claim '${path}' can be edited by its user, so it cannot be a ${what}: let the provider issue a claim of its own, such as app_metadata.`,
      );
    }
  }
}

function segments(path: ClaimPath): string[] {
  if (!path.startsWith('/')) return [path];
  return path
    .slice(1)
    .split('/')
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}
