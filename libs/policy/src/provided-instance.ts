import type { Type } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';

/**
 * The one instance of a class, whichever module of the application provides it. `undefined`: there is none, or there is more
 * than one, since Nest makes it anew for each request or for each place.
 */
export function providedInstance(moduleRef: ModuleRef, type: Type<unknown>): unknown {
  try {
    return moduleRef.get<unknown>(type, { strict: false });
  } catch {
    return undefined; // Nest throws for what is not provided, and for what is made anew for each request.
  }
}
