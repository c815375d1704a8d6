/** A store cannot be opened as it is wired; the message says what to write or to start. Holds no password. */
export class StoreSetupError extends Error {
  override readonly name: string = 'StoreSetupError';
  readonly code: string = 'store_setup';
}
