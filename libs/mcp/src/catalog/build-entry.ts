import { canonicalDigest } from '../canonical-json.js';
import type { Problem } from '../problem.js';
import { annotationsOf, isRisk, RISKS } from '../risk.js';
import { isScopeToken } from '../scope-token.js';
import type { Entry, EntryKind, EntryPolicy } from './entry.js';
import type { EntryDeclaration } from './entry-options.js';
import { toJsonSchema, type JsonSchema } from './json-schema.js';
import { resourceUriFault } from './resource-uri.js';
import type { StandardSchemaWithJSON } from './standard-schema.js';

/** What a decorator wrote, seen without its types: JavaScript callers and `as` get past those. */
type LooseOptions = Readonly<Record<string, unknown>>;

/** An entry with the schemas a client is shown. */
export interface BuiltEntry {
  readonly entry: Entry;
  readonly inputSchema: JsonSchema | undefined;
  readonly outputSchema: JsonSchema | undefined;
}

/** Turns a declaration into an entry, or says everything that is wrong with it. */
export function buildEntry(declaration: EntryDeclaration, source: string): BuiltEntry | readonly Problem[] {
  const options: LooseOptions = { ...declaration.options };
  const label = `${declaration.kind} "${String(options['name'])}" (${source})`;
  const problems: Problem[] = [
    ...nameProblems(declaration.kind, options['name'], label),
    ...accessProblems(declaration.kind, options, label),
    ...textProblems(declaration.kind, options, label),
    ...unknownProblems(declaration.kind, options, label),
  ];
  const inputSchema = schemaOf(options['input'], 'input', label, problems);
  const outputSchema = schemaOf(options['output'], 'output', label, problems);
  if (problems.length > 0) return problems;
  return assemble(declaration, source, inputSchema, outputSchema);
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

function accessProblems(kind: EntryKind, options: LooseOptions, label: string): Problem[] {
  const problems: Problem[] = [];
  const risk = options['risk'] ?? (kind === 'tool' ? undefined : 'read');
  const isPublic = options['public'] === true;
  const scopes = listOf(options['scopes']);
  const roles = listOf(options['role']);
  const add = (code: string, message: string) => problems.push({ code, message: `The ${label} ${message}` });
  if (!isRisk(risk))
    add('entry_without_risk', `says no risk: write risk: ${RISKS.map((r) => `'${r}'`).join(' | ')}.`);
  if (scopes === undefined || !scopes.every(isScopeToken)) {
    add('entry_scopes', "has scopes that are not a list of scope tokens: write scopes: ['crm:read'].");
  }
  if (roles === undefined)
    add('entry_role', "has a role that is not a name or a list of names: write role: 'agent:read-only'.");
  if (isPublic && risk !== 'read')
    add('public_entry_risk', "is public, which only risk: 'read' may be: give it scopes or a role instead.");
  if (isPublic && options['tenancy'] === 'required') {
    add('public_entry_with_policy', 'is public and asks for a tenant: leave out one of the two.');
  }
  if (isPublic && (options['scopes'] !== undefined || options['role'] !== undefined)) {
    add(
      'public_entry_with_policy',
      'is public and also asks for scopes or a role: leave out one of the two.',
    );
  }
  if (!isPublic && scopes?.length === 0 && roles?.length === 0) {
    add(
      'entry_without_policy',
      "has no policy: write scopes: ['…'], role: '…', or public: true for what anyone may read.",
    );
  }
  if (!['required', 'none', undefined].some((known) => known === options['tenancy'])) {
    add('entry_tenancy', "has an unknown tenancy: write tenancy: 'required' or 'none'.");
  }
  return problems;
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

const NONE: readonly string[] = Object.freeze([]);

/** One name or a list of names as a list; `undefined` for anything else. */
function listOf(value: unknown): readonly string[] | undefined {
  if (value === undefined) return NONE;
  const list: unknown[] = Array.isArray(value) ? value : [value];
  const names = list.filter((item): item is string => typeof item === 'string' && item !== '');
  return names.length === list.length ? Object.freeze([...new Set(names)]) : undefined;
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
  inputSchema: JsonSchema | undefined,
  outputSchema: JsonSchema | undefined,
): BuiltEntry {
  const policy = policyOf(options);
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
    input,
    output,
    uri,
    mimeType,
    auditFields: listOf(options.auditFields) ?? NONE,
    source,
    digest: canonicalDigest('sallyport-entry/v1', told),
  });
  return { entry, inputSchema, outputSchema };
}

function policyOf(options: EntryDeclaration['options']): EntryPolicy {
  const isPublic = options.public === true;
  return Object.freeze({
    public: isPublic,
    scopes: listOf(options.scopes) ?? NONE,
    roles: listOf(options.role) ?? NONE,
    risk: options.risk ?? 'read',
    tenancy: options.tenancy ?? (isPublic ? 'none' : 'required'),
  });
}

export function annotationsFor(entry: Entry): Record<string, unknown> {
  return {
    ...(entry.title === undefined ? {} : { title: entry.title }),
    ...annotationsOf(entry.policy.risk),
  };
}
