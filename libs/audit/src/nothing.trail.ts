import { Logger } from '@nestjs/common';
import { AuditTrail } from '@sallyport/mcp';

/**
 * Records nothing: for measuring what the audit costs, and for nothing else. Calls run that nobody can account for.
 */
export class NothingTrail extends AuditTrail {
  constructor() {
    super();
    new Logger('AuditModule').warn(
      'NOTHING IS RECORDED: audit.dangerouslyRecordNothing is set. Leave it out wherever a call may matter.',
    );
  }

  /** Says at once that it is done, and has done nothing. */
  record(): Promise<void> {
    return Promise.resolve();
  }
}
