import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CrmRecord } from './crm-record.entity.js';
import { CrmService } from './crm.service.js';
import { CrmTools } from './crm.tools.js';

/** Customer records of a tenant. */
@Module({
  imports: [TypeOrmModule.forFeature([CrmRecord])],
  providers: [CrmService, CrmTools],
})
export class CrmModule {}
