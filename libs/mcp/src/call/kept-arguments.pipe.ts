import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { canonicalJson } from '../canonical-json.js';
import { argumentsOf } from './call-arguments.js';
import { currentCall } from './call-scope.js';

/** A pipe of the class, the method or the whole application made something else of what was decided on. */
export class ArgumentsChangedError extends Error {
  constructor(name: string | undefined) {
    const what = name === undefined ? 'the arguments' : `the argument "${name}"`;
    super(
      `A pipe changed ${what} of a call after they were decided on and recorded, so the call did not run: change them in the input schema, or with a pipe of the parameter itself, as in @Args('id', LoadPipe).`,
    );
    this.name = 'ArgumentsChangedError';
  }
}

/**
 * Stands between the pipes of class, method and application, and those of the parameter itself. The former may refuse, and
 * may make an instance of a class with the same content; what was decided on is what runs. A pipe of the parameter stands
 * where the arguments are handed over, and is as much a part of the method as its first line.
 */
class KeptArgumentsPipe implements PipeTransform {
  transform(value: unknown, { data: name }: ArgumentMetadata): unknown {
    const call = currentCall();
    const decidedOn = argumentsOf(call !== undefined && 'arguments' in call ? call : undefined, name);
    if (value === decidedOn || contentOf(value) === contentOf(decidedOn)) return value;
    throw new ArgumentsChangedError(name);
  }
}

export const KEPT_ARGUMENTS = new KeptArgumentsPipe();

/** What of a value is carried by JSON, in one spelling; what has no such form is the same as nothing else. */
function contentOf(value: unknown): unknown {
  try {
    const json = JSON.stringify(value);
    return json === undefined ? value : canonicalJson(JSON.parse(json));
  } catch {
    return Symbol('no JSON');
  }
}
