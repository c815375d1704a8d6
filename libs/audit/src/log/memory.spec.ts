import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import Database from 'better-sqlite3';

import { eventually } from '../../../../test/support/eventually.js';
import { testDatabases } from '../../../../test/support/test-databases.js';
import {
  KEY,
  LOG_NAME,
  newDirectory,
  newestRow,
  openLoggedTrail,
  OPERATOR,
  type LoggedTrail,
} from './audit-log.fixture.js';
import { LogKeys, type OpenedCheckpoint } from './log-keys.js';
import { logSettings } from './log.options.js';
import { missingMemory, type OpenedMemory } from './memory.js';
import { checkpointFile } from './publish/checkpoint-file.js';
import type { CheckpointPublisher } from './publish/checkpoint-publisher.js';
import { LogSigner } from './signer.js';
import { stateFile } from './state-file.js';

const databases = testDatabases('log_memory');

async function open(...given: Parameters<typeof openLoggedTrail>): Promise<LoggedTrail> {
  const logged = await openLoggedTrail(...given);
  databases.closeAfterTest(logged.close);
  return logged;
}

async function grown(count: number, ...given: Parameters<typeof openLoggedTrail>): Promise<void> {
  const logged = await openLoggedTrail(...given);
  const before = (await newestRow(logged.rows))?.size ?? 0;
  await logged.record(count);
  await logged.signed(before + count);
  await logged.close();
}

async function refusal({ log }: LoggedTrail) {
  const status = await eventually(
    async () => log.status,
    (now) => now?.refusal !== undefined,
  );
  return status?.refusal;
}

/** A closed SQLite database, as a backup has it. */
function copy(from: string, to: string): void {
  const database = new Database(from);
  database.pragma('wal_checkpoint(TRUNCATE)');
  database.close();
  for (const end of ['-wal', '-shm']) rmSync(to + end, { force: true });
  cpSync(from, to);
}

/** A publisher whose place can be out of reach. */
function reachable(inner: CheckpointPublisher) {
  const place = { isDown: false };
  const ask = <T>(work: () => Promise<T>) =>
    place.isDown ? Promise.reject(new Error('It cannot be reached.')) : work();
  const publisher: CheckpointPublisher = {
    name: 'the place elsewhere',
    publish: (checkpoint) => ask(() => inner.publish(checkpoint)),
    latest: () => ask(() => inner.latest()),
  };
  return { place, publisher };
}

describe('a log that a publisher alone remembers', () => {
  /** Ten records that were signed and published, a database of before the last five, and a publisher that is down. */
  async function restoredFromYesterday() {
    const directory = newDirectory();
    const [file, yesterday] = [join(directory, 'audit.sqlite'), join(directory, 'yesterday.sqlite')];
    const database = { type: 'better-sqlite3', database: file } as const;
    const kept = checkpointFile(join(directory, 'elsewhere'));
    const { place, publisher } = reachable(kept);
    const options = { publish: [publisher] };
    await grown(5, database, options);
    copy(file, yesterday);
    await grown(5, database, options);
    copy(yesterday, file);
    place.isDown = true;
    return { logged: await open(database, options), place, kept, options };
  }

  it('is not signed after a start before the publisher has answered, and calls go on', async () => {
    const { logged, place, kept } = await restoredFromYesterday();
    await logged.record(7);
    expect(await refusal(logged)).toMatchObject({
      code: 'log_memory',
      message: expect.stringMatching(
        /The place elsewhere .*has not answered: It cannot be reached\. It goes on by itself/,
      ),
    });
    expect((await newestRow(logged.rows))?.size).toBe(5);
    expect(await logged.log.warnings()).toEqual([
      'What was signed cannot be compared with the place elsewhere: It cannot be reached.',
      expect.stringContaining('The log is not signed. The place elsewhere may remember more'),
    ]);
    // Once it answers it is found out.
    place.isDown = false;
    const contradicted = await eventually(
      async () => logged.log.status?.refusal?.code,
      (code) => code !== 'log_memory',
    );
    expect(contradicted).toBe('log_forked');
    expect(await kept.latest()).toContain('\n10\n');
  }, 60_000);

  it('is not said to be intact while the publisher cannot be asked, unless a checkpoint is given', async () => {
    const { logged, kept } = await restoredFromYesterday();
    expect(await logged.log.verify()).toMatchObject({
      ok: false,
      findings: [{ code: 'log_memory' }],
      comparedWith: [],
      notCompared: [{ name: 'the place elsewhere', why: 'It cannot be reached.' }],
    });
    const witnesses = [{ from: 'the file', note: (await kept.latest()) ?? '' }];
    expect(await logged.log.verify({ witnesses })).toMatchObject({
      findings: [{ code: 'log_truncated' }],
      comparedWith: ['the file'],
    });
  });

  it('is signed on while the publisher is down when this process has signed last', async () => {
    const directory = newDirectory();
    const { place, publisher } = reachable(checkpointFile(join(directory, 'elsewhere')));
    const database = { type: 'better-sqlite3', database: join(directory, 'audit.sqlite') } as const;
    const logged = await open(database, { publish: [publisher] });
    await logged.record(1);
    await logged.signed(1);
    place.isDown = true;
    await logged.record(1);
    await logged.signed(2);
  });

  it('is not signed when the publisher holds nothing any more', async () => {
    const directory = newDirectory();
    const elsewhere = join(directory, 'elsewhere');
    const database = { type: 'better-sqlite3', database: join(directory, 'audit.sqlite') } as const;
    const options = { publish: [checkpointFile(elsewhere)] };
    await grown(3, database, options);
    await eventually(
      async () => existsSync(elsewhere),
      (isThere) => isThere,
    );
    rmSync(elsewhere);
    const logged = await open(database, options);
    await logged.record(1);
    expect((await refusal(logged))?.message).toContain('sallyport audit remember --size 3');
    expect(await logged.log.remember(3, OPERATOR)).toEqual([`the file ${elsewhere}`]);
    await eventually(
      () => newestRow(logged.rows),
      (row) => row?.size === 4,
    );
  }, 60_000);
});

describe('a log whose state file is not there any more', () => {
  async function withoutState() {
    const database = await databases.fresh('better-sqlite3');
    const state = { file: join(newDirectory(), 'state') };
    await grown(4, database, { state });
    rmSync(state.file);
    const logged = await open(database, { state });
    return { database, state, logged };
  }

  it('is not signed, and says what happened and how to go on', async () => {
    const { state, logged } = await withoutState();
    await logged.record(1);
    const { code, message } = (await refusal(logged)) ?? {};
    expect(code).toBe('log_memory');
    expect(message).toContain(`The signer's state ${state.file} is not there`);
    expect(message).toMatch(
      /checkpoint of 4 records, signed at 2.* Bring it back\. .*sallyport audit remember --size 4\./,
    );
    expect(await logged.log.warnings()).toEqual([expect.stringContaining(`${state.file} is not there`)]);
    expect(await logged.log.verify()).toMatchObject({
      ok: false,
      findings: [{ code: 'log_memory' }],
      comparedWith: [],
    });
    expect(existsSync(state.file)).toBe(false);
  });

  it('goes on once an operator has had a checkpoint remembered that is in the database', async () => {
    const { state, logged } = await withoutState();
    await expect(logged.log.remember(3, OPERATOR)).rejects.toThrow(
      /no checkpoint of 3 records.*its newest is of 4/,
    );
    expect(logged.remembered).toEqual([]);
    expect(await logged.log.remember(4, OPERATOR)).toEqual([`the signer's state ${state.file}`]);
    expect(logged.remembered).toEqual([{ size: 4, places: [`the signer's state ${state.file}`] }]);
    await logged.record(1);
    await logged.signed(5);
    expect(await logged.log.verify()).toMatchObject({
      ok: true,
      comparedWith: [`the signer's state ${state.file}`],
      notCompared: [],
    });
    await expect(logged.log.remember(4, OPERATOR)).rejects.toThrow(/Nothing is missing/);
  });

  it('is remembered by nobody when it is not intact', async () => {
    const { database, logged } = await withoutState();
    const file = new Database(database.database);
    file.exec(
      'DROP TRIGGER sallyport_audit_no_update; UPDATE sallyport_audit SET entry = NULL WHERE seq = 2',
    );
    file.close();
    await expect(logged.log.remember(4, OPERATOR)).rejects.toThrow(/not intact.*audit verify/);
  });

  it('goes on by itself when a publisher holds the newest checkpoint', async () => {
    const directory = newDirectory();
    const database = await databases.fresh('better-sqlite3');
    const state = { file: join(directory, 'state') };
    const publisher = checkpointFile(join(directory, 'elsewhere'));
    const first = await openLoggedTrail(database, { state, publish: [publisher] });
    await first.record(3);
    await first.signed(3);
    await eventually(
      async () => (await publisher.latest()) ?? '',
      (note) => note.includes('\n3\n'),
    );
    await first.close();
    rmSync(state.file);
    const logged = await open(database, { state, publish: [publisher] });
    await logged.record(1);
    await logged.signed(4);
    expect(readFileSync(state.file, 'utf8')).toContain('\n4\n');
  });
});

describe('two signers with one state', () => {
  it('never make it remember less', async () => {
    const database = await databases.fresh('better-sqlite3');
    const logged = await open(database);
    await logged.record(4);
    await logged.signed(4);
    const { signer, keys } = await logSettings({ key: KEY.signerKey, dangerouslyForgetful: true });
    const state = stateFile(join(newDirectory(), 'state'));
    const signerOver = (over: typeof state) =>
      new LogSigner({ signer, keys, state: over, onKeyRotation: () => Promise.resolve(), now: Date.now });
    const quick = signerOver(state);
    await expect(quick.sign(logged.rows, [])).rejects.toThrow(/is not there/);
    const publisher = {
      name: 'elsewhere',
      kind: 'publisher' as const,
      note: (await newestRow(logged.rows))?.note,
      failure: undefined,
    };
    await quick.sign(logged.rows, [publisher]);
    let isSlow = true;
    const slow = signerOver({
      ...state,
      replace: async (before, note) => {
        if (isSlow) {
          isSlow = false;
          await logged.record(3);
          await logged.signed(7);
          await quick.sign(logged.rows, []);
          expect(await state.read()).toContain('\n7\n');
        }
        return state.replace(before, note);
      },
    });
    expect((await slow.sign(logged.rows, [])).size).toBe(7);
    expect(await state.read()).toContain('\n7\n');
  });
});

describe('what is remembered outside of the database', () => {
  const keys = new LogKeys(LOG_NAME, [KEY.verifierKey]);
  const checkpoint = (size: number): OpenedCheckpoint => ({
    origin: keys.origin,
    size,
    root: new Uint8Array(32),
    extensions: [],
    note: '',
    keys: [],
    signedAt: undefined,
  });
  const memory = (kind: OpenedMemory['kind'], size?: number, failure?: string): OpenedMemory => ({
    name: kind,
    kind,
    note: undefined,
    failure,
    checkpoint: size === undefined ? undefined : checkpoint(size),
  });
  const nobody = { newest: undefined, own: undefined, state: undefined, publishers: [] };
  const down = memory('publisher', undefined, 'Down.');

  it.each([
    ['a new log', { ...nobody, state: memory('state') }],
    [
      'a state that is as new',
      { ...nobody, newest: checkpoint(5), state: memory('state', 5), publishers: [down] },
    ],
    [
      'what this process signed',
      { ...nobody, newest: checkpoint(5), own: checkpoint(5), publishers: [down] },
    ],
    [
      'a state that another server has overtaken',
      { ...nobody, newest: checkpoint(5), state: memory('state', 3) },
    ],
    [
      'a publisher that is behind',
      { ...nobody, newest: checkpoint(5), publishers: [memory('publisher', 3)] },
    ],
    [
      'a publisher in the place of a state that is gone',
      { ...nobody, newest: checkpoint(5), state: memory('state'), publishers: [memory('publisher', 5)] },
    ],
    ['nobody, knowingly', { ...nobody, newest: checkpoint(5) }],
  ])('suffices: %s', (_, recollection) => {
    expect(missingMemory(recollection)).toBeUndefined();
  });

  it.each([
    ['a new log, and a publisher that is down', { ...nobody, publishers: [down] }, /not answered: Down\./],
    [
      'a state that another server has overtaken, and a publisher that is down',
      { ...nobody, newest: checkpoint(5), state: memory('state', 3), publishers: [down] },
      /not answered/,
    ],
    ['a state that is gone', { ...nobody, newest: checkpoint(5), state: memory('state') }, /is not there/],
    [
      'a state that cannot be read',
      { ...nobody, newest: checkpoint(5), state: memory('state', undefined, 'It cannot be read.') },
      /It cannot be read/,
    ],
    [
      'a state that is gone, and a publisher that is behind',
      { ...nobody, newest: checkpoint(5), state: memory('state'), publishers: [memory('publisher', 4)] },
      /remember --size 5/,
    ],
    [
      'a publisher that is empty',
      { ...nobody, newest: checkpoint(5), publishers: [memory('publisher')] },
      /holds nothing of this log/,
    ],
  ])('does not suffice: %s', (_, recollection, sentence) => {
    expect(missingMemory(recollection)).toMatch(sentence);
  });
});
