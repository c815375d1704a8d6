import type { Access } from './access.js';
import type { EntryKind } from './entry.js';
import type { StandardSchemaWithJSON } from './standard-schema.js';

interface Described {
  /** For people: shown by clients in place of the name. */
  readonly title?: string;
  /** For the model: what it does and when to use it. */
  readonly description: string;
}

interface Audited {
  /**
   * Names of top-level arguments whose values the audit may store in the clear. Default: none; all arguments are
   * covered by a digest.
   */
  readonly auditFields?: readonly string[];
}

/** Options of `@McpTool`. */
export type McpToolOptions = Described &
  Audited &
  Access & {
    /** 1 to 128 of `A-Z a-z 0-9 _ - . /` (MCP, tool names); unique among tools. */
    readonly name: string;
    /** Any Standard Schema with JSON Schema of an object. Default: no arguments. */
    readonly input?: StandardSchemaWithJSON;
    /** What the handler returns, as structured content. A result that does not match is an error. */
    readonly output?: StandardSchemaWithJSON;
  };

/** Access of an entry that only ever reads. */
type ReadAccess<A> = A extends Access ? Omit<A, 'risk'> & { readonly risk?: A['risk'] } : never;

/** Options of `@McpResource`. `risk` is `read` unless said otherwise. */
export type McpResourceOptions = Described &
  Audited &
  ReadAccess<Access> & {
    /** Unique among resources. */
    readonly name: string;
    /** A URI, or an RFC 6570 template (level 1) such as `docs://{slug}`. */
    readonly uri: string;
    readonly mimeType?: string;
    /** Checks the variables of a template; they are strings. */
    readonly input?: StandardSchemaWithJSON;
  };

/** Options of `@McpPrompt`. `risk` is `read` unless said otherwise. */
export type McpPromptOptions = Described &
  Audited &
  ReadAccess<Access> & {
    /** Unique among prompts. */
    readonly name: string;
    /** The arguments of a prompt are strings (MCP). */
    readonly input?: StandardSchemaWithJSON;
  };

/** What a decorator wrote down: the options as given, judged when the application boots. */
export interface EntryDeclaration {
  readonly kind: EntryKind;
  readonly options: McpToolOptions | McpResourceOptions | McpPromptOptions;
}
