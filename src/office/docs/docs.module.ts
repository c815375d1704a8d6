import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DocPage } from './doc-page.entity.js';
import { DocsService } from './docs.service.js';
import { DocsTools } from './docs.tools.js';

/** Public documentation: the entries that need no credential. */
@Module({
  imports: [TypeOrmModule.forFeature([DocPage])],
  providers: [DocsService, DocsTools],
})
export class DocsModule {}
