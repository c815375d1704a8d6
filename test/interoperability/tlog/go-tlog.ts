import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** The last is where Debian and Ubuntu put the sources of their Go packages. */
const GOPATH = [...(process.env['GOPATH']?.split(delimiter) ?? []), '/usr/share/gocode'];
const ENVIRONMENT = { ...process.env, GOPATH: GOPATH.join(delimiter), GO111MODULE: 'off', GOFLAGS: '' };
const SOURCES = fileURLToPath(new URL('.', import.meta.url));

/** One thing for Go to verify. Bytes are base 64. */
export type Claim =
  | { kind: 'checkpoint'; checkpoint: string }
  | { kind: 'inclusion'; checkpoint: string; index: number; record: string; proof: string[] }
  | { kind: 'consistency'; old: string; checkpoint: string; proof: string[] }
  | { kind: 'file'; file: string; record: string };

/** A log that Go made: a checkpoint and the tiles for each size, proofs of every leaf and between all sizes. */
export interface GoLog {
  readonly signerKey: string;
  readonly verifierKey: string;
  readonly checkpoints: Readonly<Record<string, string>>;
  readonly inclusion: readonly { index: number; size: number; proof: string[] | null }[];
  readonly consistency: readonly { oldSize: number; newSize: number; proof: string[] | null }[];
  readonly tiles: Readonly<Record<string, readonly { path: string; data: string }[]>>;
}

/** What this machine lacks to compile the Go program; `undefined` when it lacks nothing. */
export async function missingForGo(): Promise<string | undefined> {
  try {
    await run('go', ['version']);
  } catch {
    return 'there is no go (apt-get install golang-go)';
  }
  const sumdb = GOPATH.map((path) => join(path, 'src/golang.org/x/mod/sumdb/tlog'));
  return sumdb.some((path) => existsSync(path))
    ? undefined
    : 'golang.org/x/mod is missing (apt-get install golang-golang-x-mod-dev)';
}

/** The compiled program of `main.go`. */
export class GoTlog {
  private constructor(private readonly directory: string) {}

  static async compile(): Promise<GoTlog> {
    const directory = await mkdtemp(join(tmpdir(), 'sallyport-go-'));
    const target = join(directory, 'tlog');
    await run('go', ['build', '-o', target, 'main.go'], { cwd: SOURCES, env: ENVIRONMENT });
    return new GoTlog(directory);
  }

  /** Which of the claims Go accepts, with that verifier key. */
  verify(verifierKey: string, cases: readonly Claim[]): Promise<boolean[]> {
    return this.ask('verify', { verifierKey, cases });
  }

  /** Another log of these records, under a key of its own. */
  generate(name: string, records: readonly Uint8Array[], sizes: readonly number[]): Promise<GoLog> {
    return this.ask('generate', { name, records: records.map(base64), sizes });
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  private async ask<Answer>(command: string, question: object): Promise<Answer> {
    const running = run(join(this.directory, 'tlog'), [command], { maxBuffer: 2 ** 28, timeout: 120_000 });
    running.child.stdin?.end(JSON.stringify(question));
    const { stdout } = await running;
    return JSON.parse(stdout) as Answer;
  }
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
