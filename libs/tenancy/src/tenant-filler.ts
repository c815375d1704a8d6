import type { EntitySubscriberInterface, InsertEvent } from 'typeorm';

import { currentReach } from './reach.js';
import { tenantPropertyOf } from './tenant-owned.decorator.js';

/**
 * Writes the tenant into each new entity, so that whoever saves one can read it there. A convenience: the statement
 * itself is given the tenant, with or without this.
 */
export class TenantFiller implements EntitySubscriberInterface {
  beforeInsert({ entity, metadata }: InsertEvent<unknown>): void {
    const property = tenantPropertyOf(metadata);
    if (property === undefined || typeof entity !== 'object' || entity === null) return;
    const reach = currentReach();
    if (reach.kind !== 'tenant') return;
    const column = metadata.findColumnWithPropertyName(property);
    const given: unknown = column?.getEntityValue(entity);
    if (given === undefined || given === null) column?.setEntityValue(entity, reach.tenant);
  }
}
