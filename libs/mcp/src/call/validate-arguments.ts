import { Logger } from '@nestjs/common';
import type { Entry } from '../catalog/entry.js';
import { validateWith, type StandardIssue, type StandardSchemaWithJSON } from '../catalog/standard-schema.js';
import { frozenObject, isPlainObject, NotJsonError } from '../frozen-json.js';
import type { CallArguments } from './mcp-call.js';
import { stackOf } from '../stack-of.js';

export type ValidatedArguments =
  | { readonly valid: true; readonly value: CallArguments }
  /** Sentences for the caller: where, and what was expected. Never the value that was sent. */
  | { readonly valid: false; readonly issues: readonly string[] };

const NOTHING: CallArguments = Object.freeze({});
const MOST_ISSUES = 20;
const LONGEST_ISSUE = 300;

/** Validates and defaults the arguments of a call, once. What comes out is what is decided on, recorded and run. */
export async function validateArguments(entry: Entry | undefined, raw: unknown): Promise<ValidatedArguments> {
  if (entry === undefined) return invalid(['arguments: there is nothing to check them against']);
  const given = raw ?? NOTHING;
  if (!isPlainObject(given)) return invalid(['arguments: expected an object']);
  if (entry.input === undefined) return withoutSchema(entry, given);
  return withSchema(entry.input, given);
}

async function withSchema(schema: StandardSchemaWithJSON, given: unknown): Promise<ValidatedArguments> {
  try {
    const result = await validateWith(schema, given);
    if (result.issues !== undefined) return invalid(result.issues.slice(0, MOST_ISSUES).map(sentence));
    return asJson(result.value);
  } catch (error) {
    // A refinement of the application threw: what could not be checked does not count as valid.
    new Logger('Sallyport').error('An input schema threw.', stackOf(error));
    return invalid(['arguments: could not be checked']);
  }
}

function withoutSchema(entry: Entry, given: Record<string, unknown>): ValidatedArguments {
  // The variables of a resource template are arguments without a schema of their own.
  if (entry.kind === 'resource' || Object.keys(given).length === 0) return asJson(given);
  return invalid(['arguments: this takes none']);
}

function asJson(value: unknown): ValidatedArguments {
  if (!isPlainObject(value)) return invalid(['arguments: expected an object']);
  try {
    return { valid: true, value: frozenObject(value) };
  } catch (error) {
    if (error instanceof NotJsonError) return invalid([`arguments: ${error.message}`]);
    throw error;
  }
}

function invalid(issues: readonly string[]): ValidatedArguments {
  return { valid: false, issues };
}

function sentence(issue: StandardIssue): string {
  const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
  // A strict schema repeats every name it does not know.
  return `${path === '' ? 'arguments' : path}: ${issue.message}`.slice(0, LONGEST_ISSUE);
}
