import { frozenObject } from '../frozen-json.js';
import type { StandardSchemaWithJSON } from './standard-schema.js';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** The dialect of MCP (SEP-1613). */
const TARGET = 'draft-2020-12';

/**
 * The JSON Schema a client is shown. Its root is an object (MCP, tools and prompts).
 *
 * @throws Error with a sentence for the developer when the schema has no JSON form or does not describe an object
 */
export function toJsonSchema(schema: StandardSchemaWithJSON, side: 'input' | 'output'): JsonSchema {
  const convert = schema['~standard']?.jsonSchema?.[side];
  if (typeof convert !== 'function') {
    throw new Error(
      'it has no JSON Schema: use Zod ≥ 4.2, or any Standard Schema with `~standard.jsonSchema`',
    );
  }
  const json = frozenObject(convert({ target: TARGET }));
  if (json['type'] !== undefined && json['type'] !== 'object') {
    throw new Error(`it describes ${JSON.stringify(json['type'])}: wrap it in z.object({ … })`);
  }
  if (JSON.stringify(json).includes('"x-mcp-header"')) {
    throw new Error('it uses x-mcp-header, which Sallyport does not serve yet: leave the annotation out');
  }
  return frozenObject({ ...json, type: 'object' });
}

/** What values look like once this schema has validated them; `undefined` when that has no JSON Schema. */
export function validatedJsonSchema(schema: StandardSchemaWithJSON): JsonSchema | undefined {
  try {
    return frozenObject(schema['~standard'].jsonSchema.output({ target: TARGET }));
  } catch {
    return undefined; // A transformation in code: what comes out of it is known when a call comes.
  }
}
