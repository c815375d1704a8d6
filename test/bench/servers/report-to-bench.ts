/**
 * Tells the bench where this process listens, and ends with it: the channel closes however the bench ends. Ctrl-C reaches
 * every process of a terminal; here it is left to the bench.
 */
export function reportToBench(port: number, close: () => Promise<void> | void): void {
  process.on('SIGINT', () => undefined);
  process.once('disconnect', () => void end(close));
  process.send?.({ port });
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
