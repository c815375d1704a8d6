import {
  consistencyProof,
  formatCheckpoint,
  formatTlogProof,
  Frontier,
  generateNoteKey,
  inclusionProof,
  leafHash,
  NoteError,
  noteSigner,
  noteVerifier,
  openNote,
  parseCheckpoint,
  parseTilePath,
  rootOf,
  signNote,
  tilePath,
  tileReader,
  tilesFor,
  TlogError,
  verifyConsistency,
  verifyInclusion,
  verifyTlogProof,
  type Hash,
  type HashReader,
  type TileAt,
} from '@sallyport/tlog';
import { base64, GoTlog, missingForGo, type Claim, type GoLog } from './interoperability/tlog/go-tlog.js';

/** The only origin that Go's own parser of checkpoints accepts. */
const ORIGIN = 'go.sum database tree';
const SMALL = Array.from({ length: 33 }, (_, i) => i + 1);
const SIZES = [...SMALL, 255, 256, 257, 600];
const RECORDS = Array.from({ length: 600 }, (_, i) => Buffer.from(`record ${i}\n${'é'.repeat(i % 40)}`));

const missing = await missingForGo();
const required = process.env['SALLYPORT_REQUIRE_GO'] === '1';
const describeWithGo = missing === undefined || required ? describe : describe.skip;

describeWithGo(`with golang.org/x/mod/sumdb${missing === undefined ? '' : `: ${missing}`}`, () => {
  let go: GoTlog;
  let ours: Log;
  let theirs: GoLog;

  beforeAll(async () => {
    if (missing !== undefined) throw new Error(`SALLYPORT_REQUIRE_GO=1, but ${missing}.`);
    go = await GoTlog.compile();
    ours = Log.of(RECORDS);
    theirs = await go.generate('go.example/log', RECORDS, SIZES);
  }, 300_000);
  afterAll(() => go?.remove());

  describe('Go verifies our', () => {
    const accepts = async (claims: readonly Claim[]) => {
      const refused = await refusedByGo(claims);
      expect(refused).toEqual([]);
      expect(claims.length).toBeGreaterThan(0);
    };
    const refusedByGo = async (claims: readonly Claim[]) => {
      const answers = await go.verify(ours.verifierKey, claims);
      expect(answers).toHaveLength(claims.length);
      return claims.filter((_, i) => answers[i] !== true);
    };

    it('signed checkpoints', async () => {
      await accepts(SIZES.map((size) => ({ kind: 'checkpoint', checkpoint: ours.checkpoint(size) })));
      await accepts([{ kind: 'checkpoint', checkpoint: ours.checkpoint(0) }]);
    });

    it('proofs that a leaf is included', async () => {
      const claims: Claim[] = [];
      for (const size of SIZES)
        for (let index = 0; index < size; index += 1) claims.push(await ours.inclusion(index, size));
      await accepts(claims);
    });

    it('proofs that a log only grew', async () => {
      const claims: Claim[] = [];
      for (const size of SIZES)
        for (const old of SIZES.filter((other) => other <= size))
          claims.push(await ours.consistency(old, size));
      await accepts(claims);
    });

    it('.tlog-proof files', async () => {
      const claims: Claim[] = [];
      for (const size of SIZES)
        claims.push(await ours.file(size - 1, size), await ours.file(0, size, 'extra'));
      await accepts(claims);
    });

    it('claims, and refuses each of them with anything changed', async () => {
      const inclusion = await ours.inclusion(100, 257);
      const consistency = await ours.consistency(100, 257);
      const file = await ours.file(100, 257);
      const forged = Log.of(RECORDS).checkpoint(257);
      const bent = (proof: string[], at: number) =>
        proof.with(at, base64(flipped(Buffer.from(proof[at]!, 'base64'))));
      const lies: Claim[] = [
        { kind: 'checkpoint', checkpoint: forged },
        { kind: 'checkpoint', checkpoint: ours.checkpoint(257).replace('257', '258') },
        { kind: 'checkpoint', checkpoint: otherSignature(ours.checkpoint(257)) },
        ...inclusion.proof.map((_, at) => ({ ...inclusion, proof: bent(inclusion.proof, at) })),
        { ...inclusion, index: 101 },
        { ...inclusion, record: base64(RECORDS[101]!) },
        { ...inclusion, proof: inclusion.proof.slice(1) },
        { ...inclusion, checkpoint: ours.checkpoint(256) },
        { ...inclusion, checkpoint: forged },
        ...consistency.proof.map((_, at) => ({ ...consistency, proof: bent(consistency.proof, at) })),
        { ...consistency, old: ours.checkpoint(99) },
        { ...consistency, checkpoint: ours.checkpoint(256) },
        { ...consistency, old: consistency.checkpoint, checkpoint: consistency.old },
        { ...consistency, proof: consistency.proof.slice(1) },
        { ...file, record: base64(RECORDS[101]!) },
        { ...file, file: file.file.replace('index 100', 'index 101') },
      ];
      await accepts([inclusion, consistency, file]);
      expect(await refusedByGo(lies)).toEqual(lies);
    });
  });

  describe('we verify its', () => {
    const known = () => [noteVerifier(theirs.verifierKey)];
    const open = (size: number) => parseCheckpoint(openNote(theirs.checkpoints[size]!, known()).text);
    const hashes = (proof: readonly string[] | null): Hash[] =>
      (proof ?? []).map((hash) => Buffer.from(hash, 'base64'));

    it('signed checkpoints, and sign the same with its key to the byte', () => {
      const signer = noteSigner(theirs.signerKey);
      expect(signer.verifierKey).toBe(theirs.verifierKey);
      for (const size of SIZES) {
        const note = theirs.checkpoints[size]!;
        const checkpoint = open(size);
        for (const lie of [note.replace(`\n${size}\n`, `\n${size + 1}\n`), otherSignature(note)])
          expect(() => openNote(lie, known())).toThrow(NoteError);
        expect(() => openNote(note, [noteVerifier(ours.verifierKey)])).toThrow(NoteError);
        expect(checkpoint).toMatchObject({ origin: ORIGIN, size, extensions: [] });
        expect(base64(checkpoint.root)).toBe(base64(ours.root(size)));
        expect(signNote(formatCheckpoint(checkpoint), [signer])).toBe(note);
      }
    });

    it('proofs that a leaf is included, and make the same', async () => {
      expect(theirs.inclusion).toHaveLength(SIZES.reduce((sum, size) => sum + size, 0));
      for (const { index, size, proof } of theirs.inclusion) {
        const { root } = open(size);
        const claim = { index, size, root, leaf: leafHash(RECORDS[index]!), proof: hashes(proof) };
        expect(verifyInclusion(claim)).toBe(true);
        expect((await ours.inclusion(index, size)).proof).toEqual(proof ?? []);
        expect(verifyInclusion({ ...claim, leaf: leafHash(RECORDS[(index + 1) % 600]!) })).toBe(false);
        claim.proof.forEach((hash, at) =>
          expect(verifyInclusion({ ...claim, proof: claim.proof.with(at, flipped(hash)) })).toBe(false),
        );
      }
    });

    it('proofs that a log only grew, and make the same', async () => {
      expect(theirs.consistency).toHaveLength((SIZES.length * (SIZES.length + 1)) / 2);
      for (const { oldSize, newSize, proof } of theirs.consistency) {
        const [oldRoot, newRoot] = [open(oldSize).root, open(newSize).root];
        const claim = { oldSize, oldRoot, newSize, newRoot, proof: hashes(proof) };
        expect(verifyConsistency(claim)).toBe(true);
        expect((await ours.consistency(oldSize, newSize)).proof).toEqual(proof ?? []);
        expect(verifyConsistency({ ...claim, oldRoot: flipped(oldRoot) })).toBe(false);
        expect(verifyConsistency({ ...claim, newRoot: flipped(newRoot) })).toBe(false);
        claim.proof.forEach((hash, at) =>
          expect(verifyConsistency({ ...claim, proof: claim.proof.with(at, flipped(hash)) })).toBe(false),
        );
      }
    });

    it('tiles, and read its tree out of them', async () => {
      for (const size of SIZES) {
        // Go's paths say the height of a tile as well.
        const tiles = theirs.tiles[size]!.map(({ path, data }) => {
          return { tile: parseTilePath(path.replace('tile/8/', 'tile/')), data };
        });
        for (const { tile, data } of tiles) expect(data).toBe(base64(ours.tile(tile)));
        // It lists every width through which the last tile of a level has grown; of those the tree has the last.
        const widest = new Map(tiles.map(({ tile }) => [`${tile.level}/${tile.index}`, tile]));
        expect(tilesFor(0, size)).toEqual([...widest.values()]);
        const dataAt = new Map(tiles.map(({ tile, data }) => [tilePath(tile), Buffer.from(data, 'base64')]));
        const reader = tileReader(size, { readTile: async (tile) => dataAt.get(tilePath(tile))! });
        expect(base64(await rootOf(size, reader))).toBe(base64(open(size).root));
      }
    });

    it('log in a .tlog-proof, and refuse it with anything changed', () => {
      const { index, size, proof } = theirs.inclusion.find((one) => one.size === 600 && one.index === 123)!;
      const checkpoint = theirs.checkpoints[size]!;
      const file = formatTlogProof({ index, hashes: hashes(proof), checkpoint });
      const leaf = leafHash(RECORDS[123]!);
      expect(verifyTlogProof(file, leaf, known(), ORIGIN)).toMatchObject({ size: 600, origin: ORIGIN });
      expect(() => verifyTlogProof(file, leafHash(RECORDS[124]!), known(), ORIGIN)).toThrow(TlogError);
      expect(() => verifyTlogProof(file.replace('index 123', 'index 122'), leaf, known(), ORIGIN)).toThrow(
        TlogError,
      );
      expect(() => verifyTlogProof(file.replace('\n600\n', '\n601\n'), leaf, known(), ORIGIN)).toThrow(
        NoteError,
      );
      expect(() => verifyTlogProof(file, leaf, [noteVerifier(ours.verifierKey)], ORIGIN)).toThrow(NoteError);
      expect(() => verifyTlogProof(file, leaf, known(), 'another log')).toThrow(TlogError);
    });
  });
});

/** A log in memory, as an application would keep one: its tiles, and checkpoints under a key of its own. */
class Log {
  private readonly signer = noteSigner(generateNoteKey('sallyport.example/log').signerKey);
  /** Hashes of tile level 0, 1, …: each the root of 256 of the level below. */
  private readonly levels: Hash[][] = [];
  private readonly roots: Hash[] = [];
  readonly verifierKey = this.signer.verifierKey;

  private constructor(private readonly records: readonly Uint8Array[]) {}

  static of(records: readonly Uint8Array[]): Log {
    const log = new Log(records);
    const tree = Frontier.empty();
    log.roots.push(tree.root());
    for (const record of records) {
      tree.append(leafHash(record));
      log.roots.push(tree.root());
      log.add(0, leafHash(record));
    }
    return log;
  }

  private add(level: number, hash: Hash): void {
    const hashes = (this.levels[level] ??= []);
    hashes.push(hash);
    if (hashes.length % 256 !== 0) return;
    const full = Frontier.empty();
    for (const below of hashes.slice(-256)) full.append(below);
    this.add(level + 1, full.root());
  }

  tile({ level, index, width }: TileAt): Buffer {
    return Buffer.concat(this.levels[level]!.slice(index * 256, index * 256 + width));
  }

  private reader(size: number): HashReader {
    return tileReader(size, { readTile: async (tile) => this.tile(tile) });
  }

  root(size: number): Hash {
    return this.roots[size]!;
  }

  checkpoint(size: number): string {
    return signNote(formatCheckpoint({ origin: ORIGIN, size, root: this.root(size) }), [this.signer]);
  }

  async inclusion(index: number, size: number) {
    const proof = (await inclusionProof(index, size, this.reader(size))).map(base64);
    const record = base64(this.records[index]!);
    return { kind: 'inclusion' as const, checkpoint: this.checkpoint(size), index, record, proof };
  }

  async consistency(oldSize: number, size: number) {
    const proof = (await consistencyProof(oldSize, size, this.reader(size))).map(base64);
    const [old, checkpoint] = [this.checkpoint(oldSize), this.checkpoint(size)];
    return { kind: 'consistency' as const, old, checkpoint, proof };
  }

  async file(index: number, size: number, extra = '') {
    const hashes = await inclusionProof(index, size, this.reader(size));
    const checkpoint = this.checkpoint(size);
    const file = formatTlogProof({ index, hashes, checkpoint, extra: Buffer.from(extra) });
    return { kind: 'file' as const, file, record: base64(this.records[index]!) };
  }
}

/** The note with the last bits of its last signature turned over. */
function otherSignature(note: string): string {
  return note.replace(/(.)=\n$/, (_, last) => (last === 'A' ? 'E=\n' : 'A=\n'));
}

function flipped(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[copy.length - 1] = copy[copy.length - 1]! ^ 1;
  return copy;
}
