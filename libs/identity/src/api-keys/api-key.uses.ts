import { Logger } from '@nestjs/common';
import type { AuditEvent, Principal } from '@sallyport/mcp';
import { errorCodeOf } from '@sallyport/store';
import type { ApiKeyStore } from './api-key.store.js';
import { API_KEY_ISSUER } from './api-key.strategy.js';

const WRITE_EVERY_MS = 5_000;
/** Of more keys than these, in one interval, some uses are not noted. */
const MOST_WAITING = 10_000;

interface Use {
  readonly at: number;
  readonly entry: string;
}

/**
 * When each key was last used, and for what. Told of what was recorded; writes the newest use of each key now and then,
 * so that no call waits for it or fails by it.
 */
export class ApiKeyUses {
  private readonly logger = new Logger('ApiKeys');
  private readonly waiting = new Map<string, Use>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly keys: Pick<ApiKeyStore, 'noteUse'>) {}

  /** Takes note, at once and without fail. */
  note(event: AuditEvent): void {
    const use = useOf(event);
    if (use === undefined) return;
    if (!this.waiting.has(use.id) && this.waiting.size >= MOST_WAITING) return;
    this.waiting.set(use.id, { at: use.at, entry: use.entry });
    this.timer ??= setTimeout(() => void this.write(), WRITE_EVERY_MS).unref();
  }

  /** Writes what has been noted. What cannot be written is lost: it is a convenience, the audit has it all. */
  async write(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const uses = [...this.waiting];
    this.waiting.clear();
    for (const [id, { at, entry }] of uses) {
      try {
        await this.keys.noteUse(id, at, entry);
      } catch (error) {
        this.logger.warn(
          `The last use of API keys could not be written (${errorCodeOf(error) ?? 'no code'}).`,
        );
        return;
      }
    }
  }
}

function useOf(event: AuditEvent): (Use & { readonly id: string }) | undefined {
  if (event.kind !== 'attempt' && event.kind !== 'refusal' && event.kind !== 'list') return undefined;
  const id = keyIdOf(event.call.principal);
  if (id === undefined) return undefined;
  // Of an entry that is not there, not the name: that is whatever the caller wrote.
  const entry = event.kind === 'list' ? undefined : event.call.entry?.name;
  return { id, at: event.at.getTime(), entry: entry ?? event.call.method };
}

function keyIdOf(principal: Principal | undefined): string | undefined {
  return principal?.issuer === API_KEY_ISSUER ? principal.credential.id : undefined;
}
