import type { CallArguments, EntryMethod, ListMethod } from '../call/mcp-call.js';
import type { Problem } from '../problem.js';
import { annotationsFor, type BuiltEntry } from './build-entry.js';
import type { Entry, EntryKind } from './entry.js';
import type { JsonSchema } from './json-schema.js';
import {
  isTemplate,
  literalLength,
  matchTemplate,
  templatesOverlap,
  templateVariables,
} from './resource-uri.js';

/** An entry that was asked for, with the variables of its URI when it is a template. */
export interface Found {
  readonly entry: Entry;
  readonly variables?: CallArguments;
}

/** What a client is told of an entry, ready to be sent. */
export type Listed = Readonly<Record<string, unknown>>;

/** What may be done to a catalog; in this package alone, and there in one place. */
interface CatalogChanges {
  readonly built: (catalog: Catalog) => readonly BuiltEntry[];
  readonly replace: (catalog: Catalog, built: readonly BuiltEntry[]) => void;
}

let changeCatalog: CatalogChanges;

/** Whoever holds a catalog can read it. Changing it takes this, which is not exported from the package. */
export function catalogChanges(): CatalogChanges {
  return changeCatalog;
}

/** The methods whose target is one entry, by its name or URI. */
type FindingMethod = Exclude<EntryMethod, 'completion/complete'>;

const KIND_OF: Record<FindingMethod, EntryKind> = {
  'tools/call': 'tool',
  'resources/read': 'resource',
  'prompts/get': 'prompt',
};

/** The entries of one moment. Never changed: a change makes another. */
class Contents {
  readonly entries: readonly Entry[];
  readonly byName = new Map<string, Entry>();
  /** The most particular first. Two that are as particular as each other do not overlap: {@link ambiguityProblems}. */
  readonly templates: readonly Entry[];

  constructor(readonly built: readonly BuiltEntry[]) {
    // A deterministic order, whatever order modules were loaded in (2026-07-28, lists).
    const sorted = [...built].sort((a, b) => (a.entry.name < b.entry.name ? -1 : 1));
    this.entries = Object.freeze(sorted.map(({ entry }) => entry));
    this.templates = this.entries
      .filter(isReadableTemplate)
      .toSorted((a, b) => literalLength(b.uri ?? '') - literalLength(a.uri ?? ''));
    for (const { entry } of sorted) this.byName.set(`${entry.kind} ${keyOf(entry)}`, entry);
  }
}

/** Every entry of the server: found at boot, and changed by the registry of entries alone. */
export class Catalog {
  #contents: Contents;
  // Of entries that were removed, too: an answer that is on its way may still be about them.
  readonly #listed = new WeakMap<Entry, Listed>();
  readonly #outputSchemas = new WeakMap<Entry, JsonSchema>();
  readonly #argumentNames = new WeakMap<Entry, readonly string[]>();

  constructor(built: readonly BuiltEntry[]) {
    this.#contents = this.#take(built);
  }

  static {
    changeCatalog = {
      built: (catalog) => catalog.#contents.built,
      replace: (catalog, built) => (catalog.#contents = catalog.#take(built)),
    };
  }

  get entries(): readonly Entry[] {
    return this.#contents.entries;
  }

  /** The entry a method would reach, by its name or URI. */
  find(method: FindingMethod, target: string): Found | undefined {
    const exact = this.#contents.byName.get(`${KIND_OF[method]} ${target}`);
    if (exact !== undefined) return isReadableTemplate(exact) ? undefined : { entry: exact };
    return method === 'resources/read' ? this.#findTemplate(target) : undefined;
  }

  /** The entry of that very name, or of that very URI or template. */
  named(kind: EntryKind, key: string): Entry | undefined {
    return this.#contents.byName.get(`${kind} ${key}`);
  }

  /** Whether it is there now: entries that were registered may be removed again. */
  holds(entry: Entry | undefined): boolean {
    return entry !== undefined && this.#contents.byName.get(`${entry.kind} ${keyOf(entry)}`) === entry;
  }

  /** The entries a list is about, before anyone's visibility. */
  of(method: ListMethod): readonly Entry[] {
    return this.entries.filter((entry) => listMethodOf(entry) === method);
  }

  listed(entry: Entry): Listed {
    return this.#listed.get(entry) ?? {};
  }

  outputSchema(entry: Entry): JsonSchema | undefined {
    return this.#outputSchemas.get(entry);
  }

  /** The names an entry's arguments have: those of its schema, or the variables of its template. */
  argumentNames(entry: Entry): readonly string[] {
    return this.#argumentNames.get(entry) ?? [];
  }

  get hasPublicEntries(): boolean {
    return this.entries.some((entry) => entry.policy.public);
  }

  #take(built: readonly BuiltEntry[]): Contents {
    for (const { entry, inputSchema, outputSchema } of built) {
      if (this.#listed.has(entry)) continue;
      this.#listed.set(entry, Object.freeze(listed(entry, inputSchema, outputSchema)));
      this.#argumentNames.set(entry, argumentNames(entry, inputSchema));
      if (outputSchema !== undefined) this.#outputSchemas.set(entry, outputSchema);
    }
    return new Contents(built);
  }

  #findTemplate(uri: string): Found | undefined {
    for (const entry of this.#contents.templates) {
      const variables = matchTemplate(entry.uri ?? '', uri);
      if (variables !== undefined) return { entry, variables };
    }
    return undefined;
  }
}

/**
 * Says which entries cannot stand side by side.
 *
 * @param standing entries that stand side by side already, as far as that has been found out before
 */
export function duplicateProblems(added: readonly Entry[], standing: readonly Entry[] = []): Problem[] {
  const problems = ambiguityProblems(added, standing);
  const seen = new Map(standing.flatMap((entry) => namesOf(entry).map((key) => [key, entry])));
  for (const entry of added) {
    for (const key of namesOf(entry)) {
      const first = seen.get(key);
      if (first !== undefined && first !== entry) {
        const message = `The name of the ${key} is used by ${first.source} and by ${entry.source}: give one of them another.`;
        problems.push({ code: 'duplicate_name', message });
      }
      seen.set(key, entry);
    }
  }
  return problems;
}

function namesOf(entry: Entry): string[] {
  const { kind, name } = entry;
  return [...new Set([`${kind} ${name}`, `${kind} ${shapeOf(keyOf(entry))}`])];
}

/** Which of two serves a URI, and under whose policy, must not depend on their names or on who came first. */
function ambiguityProblems(added: readonly Entry[], standing: readonly Entry[]): Problem[] {
  const templates = added.filter(isReadableTemplate);
  const others = standing.filter(isReadableTemplate);
  return templates.flatMap((entry, index) =>
    [...others, ...templates.slice(index + 1)].flatMap((other) => ambiguityProblem(other, entry) ?? []),
  );
}

function ambiguityProblem(one: Entry, other: Entry): Problem | undefined {
  const [uri, otherUri] = [keyOf(one), keyOf(other)];
  if (shapeOf(uri) === shapeOf(otherUri)) return undefined;
  if (literalLength(uri) !== literalLength(otherUri) || !templatesOverlap(uri, otherUri)) return undefined;
  const message = `The templates ${uri} (${one.source}) and ${otherUri} (${other.source}) match some of the same URIs, and neither is more particular: change one of them.`;
  return { code: 'ambiguous_template', message };
}

function keyOf(entry: Entry): string {
  return entry.uri ?? entry.name;
}

/** Two templates that differ in the names of their variables alone match the same URIs. */
function shapeOf(key: string): string {
  return key.replaceAll(/\{[^}]*\}/g, '{}');
}

function isReadableTemplate(entry: Entry): boolean {
  return entry.uri !== undefined && isTemplate(entry.uri);
}

function listMethodOf(entry: Entry): ListMethod {
  if (entry.kind === 'tool') return 'tools/list';
  if (entry.kind === 'prompt') return 'prompts/list';
  return isReadableTemplate(entry) ? 'resources/templates/list' : 'resources/list';
}

function listed(entry: Entry, inputSchema?: JsonSchema, outputSchema?: JsonSchema): Listed {
  const { name, title, description, mimeType, uri } = entry;
  const described = { name, ...(title === undefined ? {} : { title }), description };
  if (entry.kind === 'tool') {
    const schema = inputSchema ?? { type: 'object', properties: {}, additionalProperties: false };
    return {
      ...described,
      inputSchema: schema,
      ...(outputSchema === undefined ? {} : { outputSchema }),
      annotations: annotationsFor(entry),
    };
  }
  if (entry.kind === 'prompt') return { ...described, arguments: promptArguments(inputSchema) };
  const where = isReadableTemplate(entry) ? { uriTemplate: uri } : { uri };
  return { ...described, ...where, ...(mimeType === undefined ? {} : { mimeType }) };
}

function argumentNames({ kind, uri }: Entry, inputSchema: JsonSchema | undefined): readonly string[] {
  if (kind === 'resource') return templateVariables(uri ?? '');
  const properties = inputSchema?.['properties'];
  return typeof properties === 'object' && properties !== null ? Object.keys(properties) : [];
}

function promptArguments(schema: JsonSchema | undefined): Listed[] {
  const properties = schema?.['properties'];
  if (typeof properties !== 'object' || properties === null) return [];
  const required: unknown = schema?.['required'];
  return Object.entries(properties).map(([name, property]: [string, unknown]) => ({
    name,
    ...descriptionOf(property),
    required: Array.isArray(required) && required.includes(name),
  }));
}

function descriptionOf(property: unknown): { description?: string } {
  if (typeof property !== 'object' || property === null || !('description' in property)) return {};
  return typeof property.description === 'string' ? { description: property.description } : {};
}
