import { withReach } from './reach.js';
import { replaceMethod } from './replace-method.js';

const WORK = ['runMigrations', 'undoLastMigration', 'showMigrations', 'synchronize', 'dropDatabase'] as const;

let isInstalled = false;

/** A schema belongs to no tenant: what changes it runs as it is, on every `DataSource`. Once for the process. */
export function leaveSchemaWork(): void {
  if (isInstalled) return;
  isInstalled = true;
  for (const name of WORK)
    replaceMethod(
      name,
      (work) =>
        function (...given) {
          return withReach({ kind: 'schema' }, async () => work.apply(this, given));
        },
    );
}
