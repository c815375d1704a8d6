/** What the log of the operator gets of an error: its stack, and in a line what caused it. */
export function stackOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { cause } = error;
  if (!(cause instanceof Error)) return error.stack;
  const code = 'code' in cause && typeof cause.code === 'string' ? `${cause.code}: ` : '';
  return `${error.stack ?? error.message}\nCaused by ${code}${cause.message}`;
}
