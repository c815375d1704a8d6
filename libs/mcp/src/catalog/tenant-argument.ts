import { isPlainObject } from '../frozen-json.js';
import type { Problem } from '../problem.js';
import type { EntryPolicy } from './entry.js';
import type { EntryDeclaration } from './entry-options.js';
import { validatedJsonSchema, type JsonSchema } from './json-schema.js';
import { templateVariables } from './resource-uri.js';

/** Says which arguments cannot name a tenant, because the entry does not have them. */
export function tenantArgumentProblems(
  declaration: EntryDeclaration,
  { tenancy }: EntryPolicy,
  label: string,
): Problem[] {
  if (typeof tenancy !== 'object') return [];
  return tenancy.argument
    .filter((path) => isMissing(declaration, path))
    .map((path) => ({
      code: 'entry_tenancy',
      message: `The ${label} binds its tenancy to the argument "${path}", which is no text in what it takes: correct the path, or add it to input.`,
    }));
}

function isMissing({ kind, options }: EntryDeclaration, path: string): boolean {
  const schema = options.input === undefined ? undefined : validatedJsonSchema(options.input);
  if (options.input !== undefined) return schema !== undefined && leadsNowhere(schema, path);
  // Without a schema there are the variables of a resource template, or nothing.
  return kind !== 'resource' || !('uri' in options) || !templateVariables(options.uri).includes(path);
}

/**
 * Whether a path such as `customer.tenant` can be known to lead nowhere, or to something that is no text, in the values
 * that this JSON Schema describes. What a schema leaves open (references, alternatives, further members) is not known, and
 * decided when a call comes.
 */
export function leadsNowhere(schema: JsonSchema, path: string): boolean {
  return isDeadEnd(schema, path.split('.'));
}

const OPEN = ['$ref', '$dynamicRef', 'anyOf', 'oneOf', 'allOf', 'not', 'if', 'patternProperties'];

function isDeadEnd(schema: unknown, path: readonly string[]): boolean {
  if (!isPlainObject(schema) || OPEN.some((keyword) => keyword in schema)) return false;
  // Every item of a list has to name the tenant, so the path goes on in each.
  if (schema['type'] === 'array') return isDeadEnd(schema['items'], path);
  const [name, ...rest] = path;
  if (name === undefined) return typeof schema['type'] === 'string' && schema['type'] !== 'string';
  if (schema['type'] !== 'object') return typeof schema['type'] === 'string';
  const properties = isPlainObject(schema['properties']) ? schema['properties'] : {};
  if (Object.hasOwn(properties, name)) return isDeadEnd(properties[name], rest);
  return (schema['additionalProperties'] ?? false) === false;
}
