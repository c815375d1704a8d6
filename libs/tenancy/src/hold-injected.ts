import type { ModulesContainer } from '@nestjs/core';
import type { DataSource } from 'typeorm';

import { replaceMethod } from './replace-method.js';
import { leaveSchemaWork } from './schema-work.js';
import { holdSource, isHeld } from './scoped-source.js';

const containers = new Set<WeakRef<ModulesContainer>>();
let isInstalled = false;

/**
 * From here on, a `DataSource` that Nest injects answers nothing about rows of tenants before it is scoped: neither a
 * provider that queries while it is made, nor one that was never named. TypeORM has no hook for its first query, so the
 * one method that all of them pass is replaced. What the application made itself, and Nest does not know, stays as it is.
 */
export function holdInjected(container: ModulesContainer): void {
  containers.add(new WeakRef(container));
  leaveSchemaWork();
  if (isInstalled) return;
  isInstalled = true;
  replaceMethod(
    'createQueryRunner',
    (create) =>
      function (...given) {
        if (this.isInitialized && !isHeld(this) && isInjected(this)) holdSource(this);
        return create.apply(this, given);
      },
  );
}

function isInjected(dataSource: DataSource): boolean {
  for (const reference of containers) {
    const container = reference.deref();
    if (container === undefined) containers.delete(reference);
    else if (knows(container, dataSource)) return true;
  }
  return false;
}

function knows(container: ModulesContainer, dataSource: DataSource): boolean {
  for (const { providers } of container.values())
    for (const { instance } of providers.values()) if (instance === dataSource) return true;
  return false;
}
