import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = 20_000;

/**
 * Waits until `read` gives something that `holds`; for what has no event to wait for.
 *
 * @param pauseMs between two looks: longer where a look is work that what is waited for has to wait for
 */
export async function eventually<T>(
  read: () => Promise<T>,
  holds: (value: T) => boolean,
  pauseMs = 10,
): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    if (Date.now() > deadline) throw new Error(`It never came to hold: ${JSON.stringify(value)}`);
    await sleep(pauseMs);
  }
}

/** A promise, and what settles it. */
export class Deferred<T = void> {
  readonly promise: Promise<T>;
  resolve!: (value: T) => void;

  constructor() {
    this.promise = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }
}
