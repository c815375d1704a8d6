/** A file does not hold the records that it should; the sentence says what is wrong with it. */
export class SealedFileError extends Error {
  override readonly name = 'SealedFileError';

  constructor(
    message: string,
    /** Of the first leaf that is not as it was signed, where that is known. */
    readonly index?: number,
  ) {
    super(message);
  }
}
