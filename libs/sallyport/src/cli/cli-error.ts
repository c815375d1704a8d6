/** The command cannot do what was asked; the message says what to write. Printed without a stack. */
export class CliError extends Error {
  override readonly name = 'CliError';
}
