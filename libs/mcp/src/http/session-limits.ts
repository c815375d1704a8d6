/** Bounds on the sessions of 2025 clients. */
export interface SessionLimits {
  /** Sessions of one principal; with one more, the one longest unused is ended. */
  readonly maxPerPrincipal: number;
  /** Sessions of this process; beyond, clients are served without one. */
  readonly max: number;
  /** Seconds without a request, and without an open stream, until a session is ended. */
  readonly idleSeconds: number;
}

/** 4 sessions a principal, 1,000 in all, half an hour. */
export const DEFAULT_SESSIONS: SessionLimits = Object.freeze({
  maxPerPrincipal: 4,
  max: 1000,
  idleSeconds: 1800,
});
