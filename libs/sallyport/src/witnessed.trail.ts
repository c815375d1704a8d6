import { AuditTrail, type AuditEvent } from '@sallyport/mcp';

/** An audit trail, and somebody who is told of what it has recorded: afterwards, and without being waited for. */
export class WitnessedTrail extends AuditTrail {
  constructor(
    private readonly trail: AuditTrail,
    private readonly tell: (event: AuditEvent) => void,
  ) {
    super();
  }

  override async record(event: AuditEvent): Promise<void> {
    await this.trail.record(event);
    this.tell(event);
  }
}
