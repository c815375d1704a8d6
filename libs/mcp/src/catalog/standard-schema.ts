/**
 * The part of Standard Schema (https://standardschema.dev) and of Standard JSON Schema that Sallyport reads. Zod ≥ 4.2,
 * ArkType, Valibot with its converter and the SDK's `fromJsonSchema()` have this shape.
 */
export interface StandardSchemaWithJSON<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly jsonSchema: {
      readonly input: (options: { readonly target: string }) => Record<string, unknown>;
      readonly output: (options: { readonly target: string }) => Record<string, unknown>;
    };
  };
}

export type StandardResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What Zod offers besides. */
interface ZodLike {
  safeParseAsync(
    value: unknown,
  ): Promise<
    | { readonly success: true; readonly data: unknown }
    | { readonly success: false; readonly error: { readonly issues: readonly StandardIssue[] } }
  >;
}

/**
 * Validates a value and waits for checks that take their time. Zod's `~standard.validate` tries without waiting first,
 * and leaves an asynchronous check behind to run once more: when the one left behind rejects, nobody hears it, and node
 * ends the process.
 */
export async function validateWith(
  schema: StandardSchemaWithJSON,
  value: unknown,
): Promise<StandardResult<unknown>> {
  if (!isZodLike(schema)) return schema['~standard'].validate(value);
  const parsed = await schema.safeParseAsync(value);
  return parsed.success ? { value: parsed.data } : { issues: parsed.error.issues };
}

function isZodLike(schema: object): schema is ZodLike {
  return 'safeParseAsync' in schema && typeof schema.safeParseAsync === 'function';
}
