import type { Revocations, RevocationView } from '../gate/ports.js';
import type { Refusal } from '../gate/refusal.js';
import type { Principal } from '../principal.js';
import { principalKey } from '../principal-key.js';
import type { Lanes } from './dispatch.js';
import type { Exchange } from './exchange.js';
import { Session } from './session.js';
import type { SessionLimits } from './session-limits.js';

/** Every session of this process. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();
  #isClosed = false;

  constructor(
    private readonly lanes: Lanes,
    private readonly limits: SessionLimits,
    revocations: Revocations,
  ) {
    revocations.onChange((view) => this.#endRevoked(view));
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** The session of this id, when it is this principal's; whose it is otherwise is nothing to the caller. */
  find(id: string, principal: Principal | undefined): Session | 'unknown' | 'of_another' {
    const session = this.#sessions.get(id);
    const key = principal === undefined ? undefined : principalKey(principal);
    if (session === undefined) return 'unknown';
    return session.key === key ? session : 'of_another';
  }

  /** Opens a session for a client that says hello; `undefined`: it is served without one. */
  async open(exchange: Exchange): Promise<Session | undefined> {
    const principal = exchange.identity?.principal;
    if (principal === undefined || this.#isClosed) return undefined;
    const own = [...this.#sessions.values()].filter(({ key }) => key === principalKey(principal));
    // It is out of the list at once, and nothing is awaited before the new one is in: others say hello meanwhile.
    if (own.length >= this.limits.maxPerPrincipal) void oldest(own)?.close();
    if (this.#sessions.size >= this.limits.max) return undefined;
    const onClose = ({ id }: Session) => this.#sessions.delete(id);
    const session = new Session(this.lanes, principal, this.limits.idleSeconds, onClose, exchange);
    this.#sessions.set(session.id, session);
    await session.start();
    return session;
  }

  /** Ends every session, and opens none any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#sessions.values()].map((session) => session.close()));
  }

  #endRevoked(view: RevocationView): void {
    for (const session of this.#sessions.values()) {
      if (session.principals().some((principal) => view.isRevoked(principal))) void session.close();
    }
  }
}

function oldest(sessions: readonly Session[]): Session | undefined {
  return sessions.toSorted((a, b) => a.usedAt - b.usedAt)[0];
}

/** There is no such session, or it is somebody else's: one answer for both. */
export function sessionNotFound(): Refusal {
  return { reason: 'unknown', status: 404, code: -32001, message: 'Session not found.' };
}

/** GET and DELETE are about a session, and none was named. */
export function sessionRequired(): Refusal {
  return { reason: 'unknown', status: 400, code: -32000, message: 'Send the Mcp-Session-Id header.' };
}
