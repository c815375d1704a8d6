import type { INestApplicationContext } from '@nestjs/common';
import {
  Catalog,
  CATALOG_SCAN,
  COMPLETION_FINDER,
  type CatalogScan,
  type CompletionFinder,
  type Entry,
} from '@sallyport/mcp';
import {
  differenceText,
  lockText,
  matrixText,
  policyMatrix,
  type PolicyLock,
  type PolicyMatrix,
} from '@sallyport/policy';
import { differenceFrom, surfaceLock } from './policy-lock.js';
import { SALLYPORT_OPTIONS, type SallyportOptions } from './sallyport.options.js';

/** What this application serves, as a lock: what its classes declare, not what was registered while it ran. */
export function lockOfApplication(app: INestApplicationContext): PolicyLock {
  const { hosts } = app.get<CatalogScan>(CATALOG_SCAN, { strict: false });
  return lockOfEntries(
    app,
    hosts.map(({ entry }) => entry),
  );
}

/** Who reaches which entry of this application now: of those that its classes declare, and of those that were registered. */
export function matrixOfApplication(app: INestApplicationContext): PolicyMatrix {
  const { entries } = app.get(Catalog, { strict: false });
  return policyMatrix(lockOfEntries(app, entries));
}

/**
 * Roles × entries and scopes × entries of this application as text, with the entries that are registered at this moment;
 * the same policy gives the same text.
 */
export function policyMatrixText(app: INestApplicationContext): string {
  return matrixText(matrixOfApplication(app));
}

/** The lock of this application as `sallyport policy lock` writes it. */
export function policyLockText(app: INestApplicationContext): string {
  return lockText(lockOfApplication(app));
}

/**
 * What differs from a lock file in what the classes of this application declare, and who gains what, as
 * `sallyport policy check` prints it; empty when nothing does.
 *
 * @throws PolicyLockError when there is no lock that can be read
 */
export function policyLockDifference(app: INestApplicationContext, file: string): string {
  return differenceText(differenceFrom(file, lockOfApplication(app)));
}

function lockOfEntries(app: INestApplicationContext, entries: readonly Entry[]): PolicyLock {
  const options = app.get<SallyportOptions>(SALLYPORT_OPTIONS, { strict: false });
  const findCompletions = app.get<CompletionFinder>(COMPLETION_FINDER, { strict: false });
  return surfaceLock(options, { entries, completions: findCompletions().hosts });
}
