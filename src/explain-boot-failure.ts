/** Prints why the server does not start, as a sentence without a stack where the error was made for people, and exits. */
export function explainBootFailure(error: unknown): void {
  process.stderr.write(`${explanationOf(error)}\n`);
  process.exit(1);
}

const FOR_PEOPLE = new Set([
  'ConfigurationError',
  'UnsafeWiringError',
  'DevelopmentProviderError',
  'AuditSetupError',
  'StoreSetupError',
]);

function explanationOf(error: unknown): string {
  if (!(error instanceof Error)) return 'The server could not start.';
  if (FOR_PEOPLE.has(error.name)) return error.message;
  if ('code' in error && error.code === 'EADDRINUSE') {
    return `${error.message}: another process listens there. Stop it, or set PORT to another port.`;
  }
  return error.stack ?? error.message;
}
