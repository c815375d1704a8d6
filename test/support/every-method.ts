import { specTypeSchemas } from '@modelcontextprotocol/server';

/** Every request that some revision of the protocol knows, as the SDK's own schemas name them. */
export function everyMethod(): string[] {
  return Object.entries(specTypeSchemas)
    .filter(([name]) => name.endsWith('Request'))
    .flatMap(([, schema]) => methodOf(schema) ?? [])
    .toSorted();
}

function methodOf(schema: object): string | undefined {
  const standard: unknown = Reflect.get(schema, '~standard');
  const json = jsonSchemaOf(standard);
  const { method } = (json?.['properties'] ?? {}) as { method?: { const?: unknown } };
  return typeof method?.const === 'string' ? method.const : undefined;
}

function jsonSchemaOf(standard: unknown): Record<string, unknown> | undefined {
  const { jsonSchema } = standard as {
    jsonSchema?: { input: (options: { target: string }) => Record<string, unknown> };
  };
  try {
    return jsonSchema?.input({ target: 'draft-2020-12' });
  } catch {
    return undefined; // A union of several requests has no JSON form of its own.
  }
}

type Schema = Record<string, unknown>;

/** A value that a schema of the office allows; whatever else it may ask for is for the handler to refuse. */
export function sampleOf(schema: Schema): unknown {
  const { anyOf, enum: values, const: constant, type, format, minLength, default: standard } = schema;
  // The least, before the default: one tool waits for so many seconds.
  if (type === 'integer' || type === 'number') return Number(schema['minimum'] ?? standard ?? 1);
  if (standard !== undefined) return standard;
  if (constant !== undefined) return constant;
  if (Array.isArray(values)) return values[0];
  if (Array.isArray(anyOf)) return sampleOf(anyOf[0] as Schema);
  if (type === 'object') return sampleObject(schema);
  if (type === 'array') return [sampleOf((schema['items'] ?? {}) as Schema)];
  if (type === 'boolean') return true;
  return textOf(typeof format === 'string' ? format : '', Number(minLength ?? 1));
}

function sampleObject({ properties, required }: Schema): Record<string, unknown> {
  const names = Array.isArray(required) ? (required as string[]) : [];
  const all = (properties ?? {}) as Record<string, Schema>;
  // An update that changes nothing is refused, so one that may be left out is there as well.
  const optional = Object.keys(all).find((name) => !names.includes(name));
  const taken = optional === undefined ? names : [...names, optional];
  return Object.fromEntries(taken.map((name) => [name, sampleOf(all[name] ?? {})]));
}

const TEXTS: Readonly<Record<string, string>> = {
  uuid: '8f0c1c5e-7d8b-4f3a-9d43-2f6f8a1f0c11',
  email: 'someone@acme.example',
  'date-time': '2027-01-01T10:00:00Z',
  date: '2027-01-01',
  uri: 'https://acme.example/',
};

function textOf(format: string, minLength: number): string {
  return TEXTS[format] ?? 'x'.repeat(Math.max(1, minLength));
}
