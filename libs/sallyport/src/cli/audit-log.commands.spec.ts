import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { auditGrants } from '@sallyport/audit';
import { generateNoteKey, noteSigner } from '@sallyport/tlog';
import Database from 'better-sqlite3';

import { attempt } from '../../../../test/support/audit-events.js';
import { startLog } from '../../../../test/support/audit-log.js';
import { progressOn } from './audit-verify.command.js';
import { createProgram } from './program.js';

const key = generateNoteKey('audit.test/cli');
const directory = mkdtempSync(join(tmpdir(), 'sallyport-cli-log-'));
const database = join(directory, 'audit.sqlite');
const state = join(directory, 'state');
const events = Array.from({ length: 40 }, () => attempt());
const id = events[17]!.id;

async function run(...words: string[]): Promise<{ text: string; code: number }> {
  let [text, code] = ['', 0];
  const program = createProgram({
    print: (line) => {
      text += `${line}\n`;
    },
    setExitCode: (value) => {
      code = value;
    },
  }).exitOverride();
  const app = resolve('libs/sallyport/src/cli/audit-log.fixture.ts');
  await program.parseAsync(['--app', app, 'audit', ...words], { from: 'user' });
  return { text, code };
}

beforeAll(async () => {
  process.env['TEST_DATABASE'] = database;
  process.env['TEST_LOG_KEY'] = key.signerKey;
  process.env['TEST_STATE'] = state;
  const log = await startLog(
    { type: 'better-sqlite3', database },
    { key: key.signerKey, state: { file: state } },
  );
  await log.record(...events);
  await log.close();
});

describe('sallyport audit verify', () => {
  it('says that the log is intact, and exits with 0', async () => {
    const { text, code } = await run('verify');
    expect(text).toContain('40 records and 1 checkpoints compared');
    expect(text).toContain(`Compared with the signer's state ${state}.`);
    expect(text).toContain('The log is intact.');
    expect(code).toBe(0);
  });

  it('says it as JSON, and by a verifier key that is given', async () => {
    const { text } = await run('verify', '--json', '--key', key.verifierKey);
    expect(JSON.parse(text)).toMatchObject({
      ok: true,
      leaves: 40,
      findings: [],
      comparedWith: [`the signer's state ${state}`],
      notCompared: [],
    });
  });

  it('compares with a checkpoint that was kept elsewhere', async () => {
    const kept = join(directory, 'kept');
    writeFileSync(kept, readFileSync(state));
    expect((await run('verify', '--checkpoint', kept)).code).toBe(0);
    writeFileSync(kept, 'no checkpoint');
    const { text, code } = await run('verify', '--checkpoint', kept);
    expect(text).toContain('THE LOG IS NOT INTACT.');
    expect(code).toBe(1);
  });

  it('names what was changed, and exits with 1', async () => {
    const file = new Database(database);
    const [trigger] = file
      .prepare<[], { name: string; sql: string }>(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name = 'sallyport_audit_no_update'",
      )
      .all();
    file.exec(`DROP TRIGGER ${trigger!.name}`);
    const before = file
      .prepare<[string], { entry: string }>('SELECT entry FROM sallyport_audit WHERE id = ?')
      .get(id);
    file.prepare('UPDATE sallyport_audit SET entry = ? WHERE id = ?').run('crm_delete_record', id);
    const { text, code } = await run('verify');
    file.prepare('UPDATE sallyport_audit SET entry = ? WHERE id = ?').run(before!.entry, id);
    file.exec(trigger!.sql);
    file.close();
    expect(text).toMatch(/record_changed +17 +\d+ /);
    expect(text).toContain(id);
    expect(code).toBe(1);
    expect((await run('verify')).code).toBe(0);
  });

  it('is not fooled by what was put in to change how a terminal shows it', async () => {
    const spoof = '\u001b[2J\u001b[HThe log is intact.\u202e';
    const file = new Database(database);
    const columns = 'at, kind, via, server, resource';
    const insert = `INSERT INTO sallyport_audit (seq, id, ${columns}) SELECT 0, ?, ${columns} FROM sallyport_audit LIMIT 1`;
    const protection = file
      .prepare<[], { name: string; sql: string }>(
        "SELECT name, sql FROM sqlite_master WHERE name IN ('sallyport_audit_no_delete', 'sallyport_audit_no_replace')",
      )
      .all();
    for (const { name } of protection) file.exec(`DROP TRIGGER ${name}`);
    file.prepare(insert).run(spoof);
    const [plain, json] = [await run('verify'), await run('verify', '--json')];
    file.exec('DELETE FROM sallyport_audit WHERE seq = 0');
    for (const { sql } of protection) file.exec(sql);
    file.close();
    expect(plain.text).toContain('THE LOG IS NOT INTACT.');
    expect(plain.text).toContain('record_inserted');
    // eslint-disable-next-line no-control-regex
    expect(`${plain.text}${json.text}`).not.toMatch(/[\u001b\u202e]/);
    expect(JSON.parse(json.text).findings[0].id).toBe(spoof);
    expect([plain.code, json.code]).toEqual([1, 1]);
  });

  it('is not satisfied when the state is not there, until an operator has it remembered again', async () => {
    const kept = readFileSync(state);
    rmSync(state);
    const [lost, json] = [await run('verify'), await run('verify', '--json')];
    expect(lost.text).toContain('log_memory');
    expect(lost.text).toContain(
      `Not compared with the signer's state ${state}: It holds nothing of this log.`,
    );
    expect(lost.text.replaceAll(/\s+/g, ' ')).toContain('audit remember --size 40');
    expect(lost.code).toBe(1);
    expect(JSON.parse(json.text)).toMatchObject({
      ok: false,
      comparedWith: [],
      notCompared: [{ why: 'It holds nothing of this log.' }],
    });
    await expect(run('remember', '--size', '39')).rejects.toThrow(/no checkpoint of 39 records.*--size 40/);
    const { text } = await run('remember', '--size', '40');
    expect(text).toContain(`Remembered by the signer's state ${state}.`);
    expect(readFileSync(state)).toEqual(kept);
    expect((await run('verify')).code).toBe(0);
    await expect(run('remember', '--size', '40')).rejects.toThrow(/Nothing is missing/);
  });

  it('says what to do about a state that cannot be read', async () => {
    const kept = readFileSync(state);
    rmSync(state);
    mkdirSync(state);
    const { text, code } = await run('verify');
    rmSync(state, { recursive: true });
    writeFileSync(state, kept);
    expect(text).toMatch(/^Not compared with .* cannot be read \(EISDIR\)\. .*correct audit\.log\.state/m);
    expect(code).toBe(1);
  });

  it('refuses what is no verifier key', async () => {
    await expect(run('verify', '--key', 'x')).rejects.toThrow(/--key takes a verifier key/);
    await expect(run('verify', '--checkpoint', join(directory, 'nowhere'))).rejects.toThrow(/cannot be read/);
  });
});

describe('sallyport audit prove', () => {
  it('writes a record and its proof, which hold without application or database', async () => {
    const base = join(directory, 'proof');
    const { text } = await run('prove', id, '--out', base);
    expect(text).toContain(`Record ${id} is number 17 of the 40`);
    expect(text).toContain(key.verifierKey);
    expect(JSON.parse(readFileSync(`${base}.json`, 'utf8'))).toMatchObject({ id });
    const files = [`${base}.json`, `${base}.tlog-proof`];
    const checked = await run('check-proof', ...files, '--key', key.verifierKey);
    expect(checked.text).toMatch(
      /The proof holds: .* record number 17 of the 40 in the log audit\.test\/cli, signed at 2/,
    );
    writeFileSync(files[0]!, readFileSync(files[0]!, 'utf8').replace('permit', 'refuse'));
    await expect(run('check-proof', ...files, '--key', key.verifierKey)).rejects.toThrow(/does not hold/);
  });

  it('lets nobody else read the files, replaces none unless it is told to, and is recorded', async () => {
    const base = join(directory, 'own');
    const before = disclosures();
    const said = JSON.parse((await run('prove', id, '--out', base, '--json')).text);
    const files = [`${base}.json`, `${base}.tlog-proof`];
    expect(said).toMatchObject({ id, index: 17, record: files[0], proof: files[1], keys: [key.verifierKey] });
    expect(files.map((file) => statSync(file).mode & 0o777)).toEqual([0o600, 0o600]);
    expect(disclosures()).toBe(before + 1);
    await expect(run('prove', id, '--out', base)).rejects.toThrow(`There is a file ${base}.json already`);
    rmSync(files[0]!);
    await expect(run('prove', id, '--out', base)).rejects.toThrow(
      `There is a file ${base}.tlog-proof already`,
    );
    expect(disclosures()).toBe(before + 1);
    await run('prove', id, '--out', base, '--force');
    const { text } = await run('check-proof', ...files, '--key', key.verifierKey, '--json');
    expect(JSON.parse(text)).toMatchObject({ holds: true, log: 'audit.test/cli', index: 17 });
  });

  /** How often it was recorded that this record was given out. */
  function disclosures(): number {
    const file = new Database(database, { readonly: true });
    const select = "SELECT count(*) AS times FROM sallyport_audit WHERE action = 'audit.read' AND target = ?";
    const found = file.prepare<[string], { times: number }>(select).get(id);
    file.close();
    return found?.times ?? 0;
  }

  it('says that there is no such record', async () => {
    await expect(run('prove', 'nobody')).rejects.toThrow(/There is no record with the id nobody/);
  });
});

describe('sallyport audit new-key', () => {
  it('makes a key pair', async () => {
    const { text } = await run('new-key', 'acme.example/audit');
    const [, signerKey = '', verifierKey = ''] =
      /^AUDIT_LOG_KEY=(.*)\nVerifier key, for everybody: (.*)\n$/.exec(text) ?? [];
    expect(noteSigner(signerKey).verifierKey).toBe(verifierKey);
    const json = JSON.parse((await run('new-key', 'acme.example/audit', '--json')).text);
    expect(noteSigner(json.signerKey).verifierKey).toBe(json.verifierKey);
  });

  it('has the statements of grants as JSON', async () => {
    const { text } = await run('grants', '--role', 'app', '--json');
    expect(JSON.parse(text)).toEqual(auditGrants('app'));
  });

  it('writes the secret half for its owner alone, and over no other file', async () => {
    const file = join(directory, 'new.key');
    const { text } = await run('new-key', 'acme.example/audit', '--out', file);
    expect(text).not.toContain('PRIVATE');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await expect(run('new-key', 'acme.example/audit', '--out', file)).rejects.toThrow(/exists already/);
    await expect(run('new-key', 'two words')).rejects.toThrow(/no spaces and no plus/);
  });
});

it('shows progress now and then, and on a terminal in one line', () => {
  const written: string[] = [];
  const stream = (isTTY: boolean) =>
    Object.assign(Object.create(process.stderr), { isTTY, write: (text: string) => written.push(text) });
  progressOn(stream(true))(5, 10, 'records');
  progressOn(stream(false), 0)(6, 10, 'records of old.jsonl');
  progressOn(stream(false), 60_000)(7, 10, 'records');
  expect(written).toEqual(['\r\u001b[K5 of 10 records', '6 of 10 records of old.jsonl\n']);
});
