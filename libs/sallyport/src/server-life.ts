import { hostname } from 'node:os';
import { Logger, type OnApplicationBootstrap } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import type { AuditFollowers, AuditReader, TypeOrmAuditTrail } from '@sallyport/audit';
import {
  isPlainObject,
  stackOf,
  thisProcess,
  uuidV7,
  type AdministrationAction,
  type AdministrationEvent,
  type AuditTrail,
  type ServerIdentity,
  type Way,
} from '@sallyport/mcp';

export interface ServerLifeParts {
  readonly server: ServerIdentity;
  /** What the calls are recorded with. */
  readonly trail: AuditTrail;
  /** Closes last, and lets us say so before. */
  readonly closing: Pick<TypeOrmAuditTrail, 'beforeStop'>;
  readonly reader: AuditReader;
  /** Ship records for as long as this process serves. */
  readonly followers: Pick<AuditFollowers, 'start'>;
  /** Digest of the policy that decides now. */
  readonly policyVersion: () => string;
  readonly host: HttpAdapterHost;
}

/**
 * Records that this process serves, and that it no longer does. An application that is only opened to be looked at, as by
 * the `sallyport` command, has no HTTP side and is never told to serve: it leaves no record.
 */
export class ServerLife implements OnApplicationBootstrap {
  readonly #logger = new Logger('Sallyport');

  constructor(private readonly parts: ServerLifeParts) {}

  /** Before it listens. Without the record of it there is no start. */
  async onApplicationBootstrap(): Promise<void> {
    // Absent in an application context, whatever its type says.
    if (this.parts.host.httpAdapter) await this.start('http');
  }

  /** Records the start, and that the policy is another than at the last one; throws when that is not possible. */
  async start(via: Way): Promise<void> {
    const { trail, closing, server, policyVersion } = this.parts;
    const policy = policyVersion();
    const before = await this.policyBefore();
    if (before !== undefined && before !== policy)
      await trail.record(this.event(via, 'policy.changed', policy, { before }));
    await trail.record(this.event(via, 'server.started', server.name, { ...processFacts(), policy }));
    closing.beforeStop(() => this.stop(via));
    this.parts.followers.start();
  }

  private async stop(via: Way): Promise<void> {
    const { trail, server } = this.parts;
    try {
      await trail.record(this.event(via, 'server.stopped', server.name, processFacts()));
    } catch (error) {
      this.#logger.error('It could not be recorded that this server has stopped.', stackOf(error));
    }
  }

  /** As the newest record of a start of this server has it. */
  private async policyBefore(): Promise<string | undefined> {
    const { reader, server } = this.parts;
    const [last] = await reader.list({
      kind: 'administration',
      action: 'server.started',
      target: server.name,
      // Another server may have the same name, on the same database.
      resource: server.resource,
      limit: 1,
    });
    const policy = isPlainObject(last?.details) ? last.details['policy'] : undefined;
    return typeof policy === 'string' ? policy : undefined;
  }

  private event(
    via: Way,
    action: AdministrationAction,
    target: string,
    details: AdministrationEvent['details'],
  ): AdministrationEvent {
    return {
      kind: 'administration',
      id: uuidV7(),
      at: new Date(),
      server: this.parts.server,
      via,
      address: undefined,
      actor: thisProcess('sallyport:server'),
      action,
      target,
      details: { ...details, version: this.parts.server.version },
    };
  }
}

function processFacts(): Record<string, string> {
  return { pid: String(process.pid), host: hostname(), node: process.version };
}
