/** A piece this long is of use to somebody, and is not there by chance. */
const PIECE = 16;
/** A shorter secret is in any text: nothing can be said of it. */
const SHORTEST = 8;

/** Does `text` quote a piece of one of these secrets, other than what may be seen? */
export function quotes(text: string, secrets: readonly string[], mayBeSeen: readonly string[] = []): boolean {
  const seen = piecesOf(mayBeSeen);
  const pieces = [...piecesOf(secrets)].filter((piece) => !seen.has(piece));
  const long = new Set(pieces.filter((piece) => piece.length === PIECE));
  if (pieces.some((piece) => piece.length < PIECE && text.includes(piece))) return true;
  for (let at = 0; at + PIECE <= text.length; at += 1) {
    if (long.has(text.slice(at, at + PIECE))) return true;
  }
  return false;
}

function piecesOf(secrets: readonly string[]): Set<string> {
  const pieces = new Set<string>();
  for (const secret of secrets) {
    if (secret.length >= SHORTEST && secret.length < PIECE) pieces.add(secret);
    for (let at = 0; at + PIECE <= secret.length; at += 1) pieces.add(secret.slice(at, at + PIECE));
  }
  return pieces;
}
