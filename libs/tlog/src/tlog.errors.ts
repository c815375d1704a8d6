/**
 * What went wrong, stable across versions:
 *
 * - `invalid_number`: a size, index, level or width outside of its range
 * - `invalid_hash`: not 32 bytes
 * - `missing_hash`: a reader or tile source did not give what was asked for
 * - `malformed_checkpoint`, `malformed_tile_path`, `malformed_proof`, `malformed_note`, `malformed_key`: not as specified
 * - `unknown_signer`: no known key signed the note
 * - `bad_signature`: a known key did not make the signature that bears its name
 * - `ambiguous_key`: two different known keys share name and key ID
 * - `unaccepted_origin`: the checkpoint is of another log
 * - `not_included`: the proof does not lead from the leaf to the root
 * - `no_canonical_form`: RFC 8785 has no form for the value
 */
export type TlogErrorCode =
  | 'invalid_number'
  | 'invalid_hash'
  | 'missing_hash'
  | 'malformed_checkpoint'
  | 'malformed_tile_path'
  | 'malformed_proof'
  | 'malformed_note'
  | 'malformed_key'
  | 'unknown_signer'
  | 'bad_signature'
  | 'ambiguous_key'
  | 'unaccepted_origin'
  | 'not_included'
  | 'no_canonical_form';

/** Everything that this library refuses. The message never holds a key or what was parsed, only why it was refused. */
export class TlogError extends Error {
  override readonly name: string = 'TlogError';

  constructor(
    readonly code: TlogErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A note or one of its keys was refused. */
export class NoteError extends TlogError {
  override readonly name: string = 'NoteError';
}
