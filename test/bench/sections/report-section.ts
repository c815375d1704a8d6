/** The settings that the bench gave this process: its only argument. */
export function sectionSettings(): unknown {
  return JSON.parse(process.argv[2] ?? '');
}

/** Tells the bench how far this process is. */
export function tellBench(line: string): void {
  process.send?.(line);
}

/**
 * Tells the bench what was found. Ends when the bench has heard it, or has ended itself. Ctrl-C reaches every process of
 * a terminal; it is left to the bench.
 */
export async function reportSection(measure: () => Promise<object>): Promise<void> {
  process.on('SIGINT', () => undefined);
  process.once('disconnect', () => process.exit());
  process.send?.(await measure());
}
