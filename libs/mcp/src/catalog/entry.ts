import type { StandardSchemaWithJSON } from './standard-schema.js';
import type { Risk } from '../risk.js';

export type EntryKind = 'tool' | 'resource' | 'prompt';

/**
 * What an entry asks of its caller: data only. What it means is decided in `@sallyport/policy`.
 */
export interface EntryPolicy {
  /** Callable without a credential. Only with `risk: 'read'`. */
  readonly public: boolean;
  /** All of these, after the configured scope hierarchy. */
  readonly scopes: readonly string[];
  /** Any of these, after role inheritance. Empty: no role is asked. */
  readonly roles: readonly string[];
  readonly risk: Risk;
  /** `required`: the principal must belong to a tenant. Default for everything that is not public. */
  readonly tenancy: 'required' | 'none';
}

/** One tool, resource, resource template or prompt of the catalog. */
export interface Entry {
  readonly kind: EntryKind;
  /** Unique per kind. A tool or prompt is called by it. */
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly policy: EntryPolicy;
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
