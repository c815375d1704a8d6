import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Adapter, AdapterPayload } from 'oidc-provider';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS entry (
    model TEXT NOT NULL, id TEXT NOT NULL, payload TEXT NOT NULL,
    grant_id TEXT, uid TEXT, consumed_at INTEGER, expires_at INTEGER,
    PRIMARY KEY (model, id)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS entry_grant ON entry (grant_id);
`;

interface Row {
  readonly payload: string;
  readonly consumed_at: number | null;
}

/**
 * The state of the provider (registered clients, consent, sign-ins, refresh tokens) in one SQLite file, so that an MCP
 * client that registered yesterday is still known after a restart. Access tokens are not in it: they are JWTs.
 */
export class ProviderStore {
  private readonly database: Database.Database;

  constructor(directory: string) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const path = join(directory, 'development-provider.sqlite');
    // SQLite would create it readable for everybody, and its journal files take over the mode.
    closeSync(openSync(path, 'a', 0o600));
    this.database = new Database(path);
    this.database.pragma('journal_mode = WAL');
    this.database.exec(SCHEMA);
    this.database.prepare('DELETE FROM entry WHERE expires_at < ?').run(now());
  }

  /** The view of one kind of entry that `oidc-provider` asks for. */
  adapter(model: string): Adapter {
    return new ProviderStoreAdapter(this.database, model);
  }

  close(): void {
    this.database.close();
  }
}

class ProviderStoreAdapter implements Adapter {
  constructor(
    private readonly database: Database.Database,
    private readonly model: string,
  ) {}

  async upsert(id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
    this.database
      .prepare(
        `INSERT INTO entry (model, id, payload, grant_id, uid, expires_at) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (model, id) DO UPDATE SET payload = excluded.payload, grant_id = excluded.grant_id,
           uid = excluded.uid, expires_at = excluded.expires_at`,
      )
      .run(
        this.model,
        id,
        JSON.stringify(payload),
        payload.grantId ?? null,
        payload.uid ?? null,
        expiresIn === undefined ? null : now() + expiresIn,
      );
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    return this.first('id', id);
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.first('uid', uid);
  }

  /** The device flow is off, so no entry has a user code. */
  async findByUserCode(): Promise<undefined> {
    return undefined;
  }

  async consume(id: string): Promise<void> {
    this.database
      .prepare('UPDATE entry SET consumed_at = ? WHERE model = ? AND id = ?')
      .run(now(), this.model, id);
  }

  async destroy(id: string): Promise<void> {
    this.database.prepare('DELETE FROM entry WHERE model = ? AND id = ?').run(this.model, id);
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    this.database.prepare('DELETE FROM entry WHERE model = ? AND grant_id = ?').run(this.model, grantId);
  }

  private first(column: 'id' | 'uid', value: string): AdapterPayload | undefined {
    const row = this.database
      .prepare<[string, string, number], Row>(
        `SELECT payload, consumed_at FROM entry WHERE model = ? AND ${column} = ? AND (expires_at IS NULL OR expires_at > ?)`,
      )
      .get(this.model, value, now());
    if (row === undefined) return undefined;
    const payload = JSON.parse(row.payload) as AdapterPayload;
    return row.consumed_at === null ? payload : { ...payload, consumed: row.consumed_at };
  }
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}
