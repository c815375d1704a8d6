/** What the bench must know to call this process. */
export interface Listening {
  readonly port: number;
  /** An API key that is good here. */
  readonly key?: string | undefined;
}

/**
 * Tells the bench where this process listens and, whenever it is asked, how much processor time it has used. Ends with
 * the bench: the channel closes however that one ends. Ctrl-C reaches every process of a terminal; it is left to the bench.
 */
export function reportToBench(listening: Listening, close: () => Promise<void> | void): void {
  process.on('SIGINT', () => undefined);
  process.once('disconnect', () => void end(close));
  process.on('message', () => process.send?.({ cpuMicroseconds: cpuMicroseconds() }));
  process.send?.(listening);
}

/** Of all threads, in the kernel too: garbage collection and cryptography are in it. */
function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

async function end(close: () => Promise<void> | void): Promise<void> {
  try {
    await close();
    process.exit(0);
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
}
