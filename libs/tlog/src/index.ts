// The Merkle tree of RFC 6962: hashes, growth, proofs and their verification.
export { EMPTY_ROOT, leafHash, nodeHash, type Hash } from './hash.js';
export { Frontier } from './frontier.js';
export type { HashReader, SubtreeAt } from './subtree.js';
export { consistencyProof, inclusionProof, rootOf } from './prove.js';
export { verifyConsistency, verifyInclusion } from './verify.js';

// c2sp.org/signed-note, with Ed25519.
export { generateNoteKey, noteSigner, noteVerifier, type NoteSigner, type NoteVerifier } from './note-key.js';
export { openNote, signNote, type OpenedNote } from './note.js';

// c2sp.org/tlog-checkpoint
export { formatCheckpoint, parseCheckpoint, type Checkpoint } from './checkpoint.js';

// c2sp.org/tlog-tiles
export { parseTilePath, TILE_HEIGHT, TILE_WIDTH, tilePath, tilesFor, type TileAt } from './tile.js';
export { tileReader, type TileSource } from './tile-reader.js';

// c2sp.org/tlog-proof
export { formatTlogProof, parseTlogProof, verifyTlogProof, type TlogProof } from './tlog-proof.js';

// RFC 8785
export { canonicalJson } from './canonical-json.js';

// What is refused, typed.
export { NoteError, TlogError, type TlogErrorCode } from './tlog.errors.js';
