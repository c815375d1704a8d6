import { Logger } from '@nestjs/common';
import { uuidV7, type AuditTrail, type ServerIdentity } from '@sallyport/mcp';

import { auditSettings, type AuditOptions } from '../audit.options.js';
import type { AuditStore } from '../audit.store.js';
import type { TypeOrmAuditTrail } from '../audit.trail.js';
import { AuditLog, type RememberRecord } from './audit-log.js';
import { logSettings } from './log.options.js';
import type { KeyRotation } from './signer.js';

/**
 * The log over what the trail commits. Without `audit.log` it signs nothing, and the boot says so once.
 *
 * @throws AuditSetupError when `audit.log` is nonsense, or its key cannot be read
 */
export async function openAuditLog(
  store: AuditStore,
  trail: TypeOrmAuditTrail,
  options: AuditOptions,
): Promise<AuditLog> {
  const logger = new Logger('AuditLog');
  const settings = options.log === undefined ? undefined : await logSettings(options.log);
  const { timeoutMs } = auditSettings(options);
  const log = new AuditLog({
    store: store.store,
    settings,
    timeoutMs,
    onKeyRotation: recordedRotation(trail, options.server),
    onRemember: recordedRemembering(trail, options.server),
    onProblem: (sentence) => logger.error(sentence),
  });
  if (!log.isSigned) for (const warning of await log.warnings()) logger.warn(warning);
  trail.onCommit = () => log.wake();
  return log;
}

/** Without a server there is nobody whose administration it would be. */
function recordedRotation(trail: AuditTrail, server: ServerIdentity | undefined): KeyRotation {
  return async ({ from, to }) => {
    if (server === undefined) return;
    await trail.record({
      kind: 'administration',
      id: uuidV7(),
      at: new Date(),
      server,
      via: 'cli',
      address: undefined,
      actor: undefined,
      action: 'audit.key_rotated',
      target: to,
      details: { from, to, by: `process:${process.pid}` },
    });
  };
}

function recordedRemembering(trail: AuditTrail, server: ServerIdentity | undefined): RememberRecord {
  return async (operator, size, places) => {
    if (server === undefined) return;
    await trail.record({
      kind: 'administration',
      id: uuidV7(),
      at: new Date(),
      server,
      ...operator,
      action: 'audit.remembered',
      target: String(size),
      details: { places: [...places].join(', ') },
    });
  };
}
