import { Module } from '@nestjs/common';
import { TenantRows } from './tenant-rows.js';

/** Gives every toolset the door to its tenant's rows. */
@Module({ providers: [TenantRows], exports: [TenantRows] })
export class TenancyModule {}
