import { canonicalDigest } from '../canonical-json.js';
import type { Problem } from '../problem.js';
import { annotationsOf } from '../risk.js';
import { buildPolicy, type DeclaredClassPolicy } from './build-policy.js';
import type { CombinedPolicy } from './combine-policy.js';
import type { Entry, EntryKind } from './entry.js';
import type { EntryDeclaration } from './entry-options.js';
import { toJsonSchema, type JsonSchema } from './json-schema.js';
import { listOf, type LooseOptions } from './read-access.js';
import { resourceUriFault } from './resource-uri.js';
import type { StandardSchemaWithJSON } from './standard-schema.js';
import { tenantArgumentProblems } from './tenant-argument.js';

/** An entry with the schemas a client is shown. */
export interface BuiltEntry {
  readonly entry: Entry;
  readonly inputSchema: JsonSchema | undefined;
  readonly outputSchema: JsonSchema | undefined;
}

/**
 * Turns a declaration into an entry, or says everything that is wrong with it. `classPolicies` are those of the class the
 * method is on and of the classes it extends.
 */
export function buildEntry(
  declaration: EntryDeclaration,
  source: string,
  classPolicies: readonly DeclaredClassPolicy[] = [],
): BuiltEntry | readonly Problem[] {
  const options: LooseOptions = { ...declaration.options };
  const label = `${declaration.kind} "${String(options['name'])}" (${source})`;
  const access = buildPolicy(declaration.kind, options, label, classPolicies);
  const problems: Problem[] = [
    ...nameProblems(declaration.kind, options['name'], label),
    ...('policy' in access ? [] : access),
    ...textProblems(declaration.kind, options, label),
    ...unknownProblems(declaration.kind, options, label),
  ];
  const inputSchema = schemaOf(options['input'], 'input', label, problems);
  const outputSchema = schemaOf(options['output'], 'output', label, problems);
  if (problems.length > 0 || !('policy' in access)) return problems;
  const unbound = tenantArgumentProblems(declaration, access.policy, label);
  if (unbound.length > 0) return unbound;
  return assemble(declaration, source, access, inputSchema, outputSchema);
}

const COMMON = [
  'name',
  'title',
  'description',
  'input',
  'public',
  'scopes',
  'role',
  'risk',
  'tenancy',
  'when',
  'freshness',
  'auditFields',
];
const KNOWN: Record<EntryKind, readonly string[]> = {
  tool: [...COMMON, 'output'],
  resource: [...COMMON, 'uri', 'mimeType'],
  prompt: COMMON,
};

/** An option nobody reads is a policy nobody enforces: `roles` for `role` would leave the role out. */
function unknownProblems(kind: EntryKind, options: LooseOptions, label: string): Problem[] {
  return Object.keys(options)
    .filter((name) => !KNOWN[kind].includes(name))
    .map((name) => ({
      code: 'entry_option',
      message: `The ${label} has the unknown option "${name}": write one of ${KNOWN[kind].join(', ')}.`,
    }));
}

const NAME = /^[A-Za-z0-9_.\-/]{1,128}$/;

function nameProblems(kind: EntryKind, name: unknown, label: string): Problem[] {
  if (typeof name === 'string' && NAME.test(name)) return [];
  return [
    {
      code: 'entry_name',
      message: `The ${label} needs a name of 1 to 128 characters of A-Z a-z 0-9 _ - . / for the ${kind}.`,
    },
  ];
}

function textProblems(kind: EntryKind, options: LooseOptions, label: string): Problem[] {
  const problems: Problem[] = [];
  if (typeof options['description'] !== 'string' || options['description'].trim() === '') {
    problems.push({
      code: 'entry_description',
      message: `The ${label} needs a description: it is what a model reads.`,
    });
  }
  if (kind === 'resource') {
    const fault = resourceUriFault(options['uri']);
    if (fault !== undefined) problems.push({ code: 'resource_uri', message: `The ${label} ${fault}.` });
  }
  const fields = listOf(options['auditFields']);
  if (fields === undefined) {
    problems.push({
      code: 'entry_audit_fields',
      message: `The ${label} has auditFields that are not a list of argument names.`,
    });
  }
  return problems;
}

function isSchema(value: unknown): value is StandardSchemaWithJSON {
  return (typeof value === 'object' || typeof value === 'function') && value !== null && '~standard' in value;
}

function schemaOf(
  value: unknown,
  side: 'input' | 'output',
  label: string,
  problems: Problem[],
): JsonSchema | undefined {
  if (value === undefined) return undefined;
  try {
    if (!isSchema(value)) throw new Error('it is no Standard Schema: use z.object({ … })');
    return toJsonSchema(value, side);
  } catch (error) {
    const detail = error instanceof Error ? error.message : 'it could not be read';
    problems.push({
      code: `entry_${side}`,
      message: `The ${side} schema of the ${label} cannot be served: ${detail}.`,
    });
    return undefined;
  }
}

function assemble(
  { kind, options }: EntryDeclaration,
  source: string,
  { policy, rules }: CombinedPolicy,
  inputSchema: JsonSchema | undefined,
  outputSchema: JsonSchema | undefined,
): BuiltEntry {
  const uri = 'uri' in options ? options.uri : undefined;
  const mimeType = 'mimeType' in options ? options.mimeType : undefined;
  const output = 'output' in options ? options.output : undefined;
  const { name, title, description, input } = options;
  const told = { kind, name, title, description, uri, mimeType, inputSchema, outputSchema, policy };
  const entry: Entry = Object.freeze({
    kind,
    name,
    title,
    description,
    policy,
    rules,
    input,
    output,
    uri,
    mimeType,
    auditFields: listOf(options.auditFields) ?? [],
    source,
    digest: canonicalDigest('sallyport-entry/v1', told),
  });
  return { entry, inputSchema, outputSchema };
}

export function annotationsFor(entry: Entry): Record<string, unknown> {
  return {
    ...(entry.title === undefined ? {} : { title: entry.title }),
    ...annotationsOf(entry.policy.risk),
  };
}
