import { Logger } from '@nestjs/common';
import type { Operation } from '../call/operation.js';
import type { Principal } from '../principal.js';
import { stackOf } from '../stack-of.js';
import type { RoleDirectory } from './ports.js';

/** How long the directory may take, in milliseconds. */
export const DEFAULT_ROLES_TIMEOUT_MS = 2_000;

const MOST_ROLES = 500;
const LONGEST_ROLE = 255;

/**
 * Who a principal is for this one operation: with the roles of the directory, where there is one, in place of those of the
 * credential. Nothing is kept, so a role that is taken away is gone with the next operation.
 */
export class CurrentRoles {
  readonly #logger = new Logger('Sallyport');

  constructor(
    private readonly directory: RoleDirectory | undefined,
    private readonly timeoutMs = DEFAULT_ROLES_TIMEOUT_MS,
  ) {}

  /**
   * The principal to decide about.
   *
   * @throws RolesUnavailable when the directory fails, takes too long, or answers with anything but a list of names
   */
  async of(principal: Principal): Promise<Principal> {
    if (this.directory === undefined) return principal;
    const roles = await this.#ask(this.directory, principal);
    return Object.freeze({ ...principal, roles });
  }

  async #ask(directory: RoleDirectory, principal: Principal): Promise<readonly string[]> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), this.timeoutMs);
    });
    try {
      const roles = rolesIn(await Promise.race([answer(directory, principal), limit]));
      if (roles !== undefined) return roles;
      this.#logger.error('The directory of roles gave no list of names in time; the call is refused.');
    } catch (error) {
      this.#logger.error('The directory of roles failed; the call is refused.', stackOf(error));
    } finally {
      clearTimeout(timer);
    }
    throw new RolesUnavailable();
  }
}

/** Nobody knows which roles the caller holds, so nothing can be decided. */
export class RolesUnavailable extends Error {
  constructor() {
    super('The roles of the caller could not be found out.');
    this.name = 'RolesUnavailable';
  }
}

/** A directory that throws at once fails like one that rejects; one that rejects too late is heard by nobody. */
async function answer(directory: RoleDirectory, principal: Principal): Promise<unknown> {
  return directory.rolesOf(principal);
}

function rolesIn(answered: unknown): readonly string[] | undefined {
  if (!Array.isArray(answered) || answered.length > MOST_ROLES) return undefined;
  const roles = answered.filter(isRoleName);
  return roles.length === answered.length ? Object.freeze([...new Set(roles)]) : undefined;
}

function isRoleName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= LONGEST_ROLE && value.isWellFormed();
}

/** Operations whose decision looks at roles. */
export type Decided = Extract<Operation, { kind: 'list' | 'listen' | 'call' }>;

/** The same operation, asked by this principal: every call in it, too. */
export function askedBy(operation: Decided, principal: Principal | undefined): Decided {
  if (principal === operation.call.principal) return operation;
  if (operation.kind === 'call')
    return { ...operation, call: Object.freeze({ ...operation.call, principal }) };
  const call = Object.freeze({ ...operation.call, principal });
  if (operation.kind === 'list')
    return { ...operation, call: Object.freeze({ ...operation.call, principal }) };
  const resources = operation.filter.resources.map((asked) => ({
    ...asked,
    call: Object.freeze({ ...asked.call, principal }),
  }));
  return { ...operation, call, filter: { ...operation.filter, resources } };
}
