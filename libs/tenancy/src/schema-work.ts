import { DataSource } from 'typeorm';

import { withReach } from './reach.js';

let isInstalled = false;

/** A schema belongs to no tenant: what changes it runs as it is, on every `DataSource`. Once for the process. */
export function leaveSchemaWork(): void {
  if (isInstalled) return;
  isInstalled = true;
  const { runMigrations, undoLastMigration, showMigrations, synchronize, dropDatabase } =
    DataSource.prototype;
  Object.assign(DataSource.prototype, {
    runMigrations: schemaWork(runMigrations),
    undoLastMigration: schemaWork(undoLastMigration),
    showMigrations: schemaWork(showMigrations),
    synchronize: schemaWork(synchronize),
    dropDatabase: schemaWork(dropDatabase),
  });
}

type Work<Given extends unknown[], Result> = (this: DataSource, ...given: Given) => Promise<Result>;

function schemaWork<Given extends unknown[], Result>(work: Work<Given, Result>): Work<Given, Result> {
  return function (...given) {
    return withReach({ kind: 'schema' }, () => work.apply(this, given));
  };
}
