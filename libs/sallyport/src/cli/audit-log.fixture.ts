import { Module } from '@nestjs/common';
import { AuditModule } from '@sallyport/audit';

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
})
export class AppModule {}
