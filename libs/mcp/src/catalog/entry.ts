import type { Type } from '@nestjs/common';
import type { Risk } from '../risk.js';
import type { Freshness } from './freshness.js';
import type { Requirement } from './requirement.js';
import type { StandardSchemaWithJSON } from './standard-schema.js';

export type EntryKind = 'tool' | 'resource' | 'prompt';

/**
 * Whether the principal must belong to a tenant, and to which: `argument` holds the paths of arguments that must name the
 * caller's own.
 */
export type Tenancy = 'required' | 'none' | { readonly argument: readonly [string, ...string[]] };

/**
 * What an entry asks of its caller, its own policy and that of its class in one: data only, as `sallyport policy --json`
 * prints it. What it means is decided in `@sallyport/policy`.
 */
export interface EntryPolicy {
  /** Callable without a credential. Only with `risk: 'read'`. */
  readonly public: boolean;
  /** All of these, after the configured scope hierarchy. */
  readonly scopes: readonly Requirement[];
  /** All of these, after role inheritance: `['admin']`, `[{ anyOf: ['sales', 'support'] }]`. Empty: no role is asked. */
  readonly roles: readonly Requirement[];
  readonly risk: Risk;
  /** Default for everything that is not public: `required`. */
  readonly tenancy: Tenancy;
  /** Names of the rules of the application that must all permit. */
  readonly when: readonly string[];
  /** How the user must have signed in; absent: in any way, at any time. */
  readonly freshness?: Freshness;
}

/** One tool, resource, resource template or prompt of the catalog. */
export interface Entry {
  readonly kind: EntryKind;
  /** Unique per kind. A tool or prompt is called by it. */
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly policy: EntryPolicy;
  /** The classes behind `policy.when`; their instances are Nest providers. */
  readonly rules?: readonly Type<unknown>[];
  readonly input?: StandardSchemaWithJSON;
  readonly output?: StandardSchemaWithJSON;
  /** Resources only: a URI, or an RFC 6570 template such as `docs://{slug}`. */
  readonly uri?: string;
  readonly mimeType?: string;
  /** Names of top-level arguments whose values may be stored in the clear by the audit. */
  readonly auditFields: readonly string[];
  /** `Class.method`, for messages to the developer. */
  readonly source: string;
  /** SHA-256 over everything a client is told of this entry and its policy; changes when any of it does. */
  readonly digest: string;
}
