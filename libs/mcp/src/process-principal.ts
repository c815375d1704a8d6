import { userInfo } from 'node:os';
import type { Principal } from './principal.js';

/** The process itself, as whoever it runs as: who did what no caller asked for. */
export function thisProcess(issuer: 'sallyport:server' | 'sallyport:cli'): Principal {
  return {
    kind: 'process',
    issuer,
    subject: userName(),
    actors: [],
    scopes: [],
    roles: [],
    credential: { kind: 'process' },
    claims: {},
  };
}

/** A container may run as a user whom its system does not know. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
