import type { Type } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import { RoleDirectory, type Principal, type Problem } from '@sallyport/mcp';
import { providedInstance } from './provided-instance.js';

/** The directory of roles of the application: a provider, whichever module it stands in. */
export class ProvidedRoles extends RoleDirectory {
  #found: RoleDirectory | undefined;

  constructor(
    private readonly type: Type<RoleDirectory>,
    private readonly moduleRef: ModuleRef,
  ) {
    super();
  }

  async rolesOf(principal: Principal): Promise<readonly string[]> {
    const directory = (this.#found ??= this.#provided());
    if (directory === undefined) throw new Error(`${this.type.name} is no provider.`);
    return directory.rolesOf(principal);
  }

  /** Whether it could be asked at all. To be called once everything is constructed. */
  problems(): Problem[] {
    if (this.#provided() !== undefined) return [];
    const message = `roleDirectory is ${this.type.name}, which is no provider with a method rolesOf: write class ${this.type.name} extends RoleDirectory, and list it under providers of a module. It cannot be of request or transient scope, nor be given what is.`;
    return [{ code: 'role_directory', message }];
  }

  #provided(): RoleDirectory | undefined {
    const instance = providedInstance(this.moduleRef, this.type);
    return isDirectory(instance) ? instance : undefined;
  }
}

function isDirectory(value: unknown): value is RoleDirectory {
  return (
    typeof value === 'object' && value !== null && 'rolesOf' in value && typeof value.rolesOf === 'function'
  );
}
