import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { newDirectory } from './audit-log.fixture.js';
import { withFileLock } from './file-lock.js';
import { stateFile } from './state-file.js';

const newState = () => join(newDirectory(), 'state');

/** The number of a process that has ended. */
async function endedProcess(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid ?? 0;
}

describe('the state of the signer', () => {
  it('is replaced where what was read still stands, and nowhere else', async () => {
    const path = newState();
    const state = stateFile(path);
    expect(await state.replace(undefined, 'one')).toBe(true);
    expect(await state.replace(undefined, 'two')).toBe(false);
    expect(await state.replace('one', 'three')).toBe(true);
    expect(await state.read()).toBe('three');
    expect(readdirSync(join(path, '..'))).toEqual(['state']);
  });

  it('is replaced by one of many at once', async () => {
    const state = stateFile(newState());
    await state.replace(undefined, 'first');
    const notes = Array.from({ length: 10 }, (_, index) => `note ${index}`);
    const done = await Promise.all(notes.map((note) => state.replace('first', note)));
    expect(done.filter(Boolean)).toHaveLength(1);
    expect(await state.read()).toBe(notes[done.indexOf(true)]);
  });

  it('says what to do when it cannot be read or written', async () => {
    const path = newState();
    mkdirSync(path);
    await expect(stateFile(path).read()).rejects.toThrow(
      /cannot be read \(EISDIR\)\. It is a file that the server owns: correct audit\.log\.state/,
    );
    const under = join(newState(), 'file');
    writeFileSync(join(under, '..'), 'a file in the place of a directory');
    await expect(stateFile(under).replace(undefined, 'x')).rejects.toThrow(/ENOTDIR|EEXIST/);
  });
});

describe('the lock of a file', () => {
  it('lets one after the other work, whatever the work does', async () => {
    const path = newState();
    let working = 0;
    const work = async () => {
      working += 1;
      expect(working).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      working -= 1;
      throw new Error('over');
    };
    const all = await Promise.allSettled(Array.from({ length: 5 }, () => withFileLock(path, work)));
    expect(all.map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => 'rejected'));
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  it('is taken over at once from a process that was killed', async () => {
    const path = newState();
    writeFileSync(`${path}.lock`, `${hostname()} ${await endedProcess()} 0`);
    expect(await withFileLock(path, (isHeld) => isHeld())).toBe(true);
  });

  it('is taken over from another machine after a while', async () => {
    const path = newState();
    writeFileSync(`${path}.lock`, 'elsewhere 1 0');
    const before = new Date(Date.now() - 11_000);
    utimesSync(`${path}.lock`, before, before);
    expect(await withFileLock(path, (isHeld) => isHeld())).toBe(true);
  });

  it('is lost by a process that stood still for too long, which is told and takes nothing away', async () => {
    const path = newState();
    await withFileLock(path, async (isHeld) => {
      writeFileSync(`${path}.lock`, 'elsewhere 1 0');
      expect(await isHeld()).toBe(false);
    });
    expect(readFileSync(`${path}.lock`, 'utf8')).toBe('elsewhere 1 0');
  });
});
