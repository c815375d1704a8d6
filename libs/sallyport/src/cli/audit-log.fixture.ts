import { Module } from '@nestjs/common';
import { AuditDisclosure, AuditModule, AuditReader, RecordWalk } from '@sallyport/audit';
import { AuditTrail } from '@sallyport/mcp';

const server = { name: 'cli', version: '1', resource: 'https://mcp.acme.example/mcp' };

/** The audit of an application, as the environment says. */
@Module({
  imports: [
    AuditModule.register({
      database: { type: 'better-sqlite3', database: process.env['TEST_DATABASE'] ?? ':memory:' },
      log: {
        key: process.env['TEST_LOG_KEY'] ?? '',
        state: { file: process.env['TEST_STATE'] ?? '' },
      },
    }),
  ],
  providers: [
    {
      provide: AuditDisclosure,
      inject: [AuditReader, RecordWalk, AuditTrail],
      useFactory: (reader: AuditReader, walk: RecordWalk, trail: AuditTrail) =>
        new AuditDisclosure({ reader, walk, trail, server }),
    },
  ],
})
export class AppModule {}
