import { inspect } from 'node:util';
import { Logger } from '@nestjs/common';

/** What escaped while some work was done, and every line that was printed or logged meanwhile. */
export interface Captured<T> {
  readonly result: T;
  readonly printed: string;
  readonly escaped: readonly unknown[];
}

/** As much of the process as tells of exceptions that nobody caught. */
export type ExceptionSource = Pick<NodeJS.EventEmitter, 'on' | 'off'>;

const ESCAPES = ['unhandledRejection', 'uncaughtException'] as const;
const NEST_LEVELS = ['log', 'error', 'warn', 'debug', 'verbose', 'fatal'];
const CONSOLE_LEVELS = ['log', 'info', 'error', 'warn', 'debug', 'trace', 'dir'];

/** One at a time: two that overlap would restore each other's taps. */
let previous: Promise<unknown> = Promise.resolve();

/**
 * Does the work while listening to the console, to both streams and to Nest's logger. What Nest logs is kept and not
 * printed, as the refusals of bad credentials are expected; anything else is passed on.
 */
export function captureOutput<T>(
  work: () => Promise<T>,
  exceptions: ExceptionSource = process,
): Promise<Captured<T>> {
  const mine = previous.then(() => capture(work, exceptions));
  previous = mine.then(nothing, nothing);
  return mine;
}

async function capture<T>(work: () => Promise<T>, exceptions: ExceptionSource): Promise<Captured<T>> {
  const lines: string[] = [];
  const escaped: unknown[] = [];
  const note = (error: unknown) => void escaped.push(error);
  for (const event of ESCAPES) exceptions.on(event, note);
  const restore = tapAll((parts) => void lines.push(parts.map(textOf).join(' ')));
  try {
    const result = await work();
    return { result, printed: lines.join('\n'), escaped };
  } finally {
    for (const undo of restore) undo();
    for (const event of ESCAPES) exceptions.off(event, note);
  }
}

type Keep = (parts: readonly unknown[]) => void;

function tapAll(keep: Keep): (() => void)[] {
  return [
    ...NEST_LEVELS.flatMap((level) => [
      tap(Logger, level, keep, 'kept'),
      tap(Logger.prototype, level, keep, 'kept'),
    ]),
    ...CONSOLE_LEVELS.map((level) => tap(console, level, keep, 'passed on')),
    tap(process.stdout, 'write', keep, 'passed on'),
    tap(process.stderr, 'write', keep, 'passed on'),
  ];
}

/** Listens to a method, and returns the way to stop. */
function tap(target: object, method: string, keep: Keep, fate: 'kept' | 'passed on'): () => void {
  const own = Object.getOwnPropertyDescriptor(target, method);
  const original: unknown = Reflect.get(target, method);
  function tapped(this: unknown, ...parts: unknown[]): unknown {
    keep(parts);
    return fate === 'passed on' && typeof original === 'function'
      ? Reflect.apply(original, this, parts)
      : undefined;
  }
  Object.defineProperty(target, method, { configurable: true, writable: true, value: tapped });
  return () => {
    if (own === undefined) Reflect.deleteProperty(target, method);
    else Object.defineProperty(target, method, own);
  };
}

/** An error with its message, causes and properties; bytes as text. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  return inspect(value, { depth: 8, maxArrayLength: null, maxStringLength: null, breakLength: Infinity });
}

function nothing(): void {}
