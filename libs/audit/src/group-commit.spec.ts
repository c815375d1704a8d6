import fc from 'fast-check';

import { AuditUnavailableError } from './audit.errors.js';
import { GroupCommit, type GroupCommitOptions, type WriteFault } from './group-commit.js';

class FaultError extends Error {
  constructor(readonly fault: WriteFault) {
    super(fault);
  }
}

function faultOf(error: unknown): WriteFault {
  return error instanceof FaultError ? error.fault : 'store';
}

function groupCommit(
  write: (batch: readonly number[]) => Promise<void>,
  options: Partial<GroupCommitOptions<number>> = {},
) {
  return new GroupCommit<number>({
    write,
    faultOf,
    maxBatch: 10,
    maxQueued: 1000,
    timeoutMs: 60_000,
    ...options,
  });
}

/** A write that waits until the test lets it go. */
function heldWrite() {
  const batches: { items: readonly number[]; finish: () => void; fail: (fault: WriteFault) => void }[] = [];
  let arrived = () => {};
  const write = (items: readonly number[]) =>
    new Promise<void>((finish, reject) => {
      batches.push({ items, finish, fail: (fault) => reject(new FaultError(fault)) });
      arrived();
    });
  const next = async (index: number) => {
    while (batches.length <= index) await new Promise<void>((resolve) => (arrived = resolve));
    const batch = batches[index];
    if (!batch) throw new Error('unreachable');
    return batch;
  };
  return { write, next, batches };
}

describe('GroupCommit', () => {
  it('commits together what arrived while a commit was under way', async () => {
    const { write, next, batches } = heldWrite();
    const commits = groupCommit(write);
    const first = commits.add(1);
    const one = await next(0);
    const others = [commits.add(2), commits.add(3), commits.add(4)];
    one.finish();
    await first;
    (await next(1)).finish();
    await Promise.all(others);
    expect(batches.map(({ items }) => items)).toEqual([[1], [2, 3, 4]]);
  });

  it('resolves nobody before the write is done', async () => {
    const { write, next } = heldWrite();
    const commits = groupCommit(write);
    let resolved = false;
    const added = commits.add(1).then(() => (resolved = true));
    const batch = await next(0);
    expect(resolved).toBe(false);
    batch.finish();
    await added;
  });

  it('refuses at once what would make the queue too long, and takes more when it is shorter', async () => {
    const { write, next } = heldWrite();
    const commits = groupCommit(write, { maxQueued: 2 });
    const taken = [commits.add(1), commits.add(2)];
    await expect(commits.add(3)).rejects.toMatchObject({ reason: 'overloaded' });
    (await next(0)).finish();
    await Promise.all(taken);
    const later = commits.add(4);
    (await next(1)).finish();
    await later;
  });

  it('refuses every caller of a store that hangs, and keeps none of them', async () => {
    const { write, next, batches } = heldWrite();
    const commits = groupCommit(write, { timeoutMs: 20, maxQueued: 2 });
    const first = commits.add(1);
    const hanging = await next(0);
    await expect(first).rejects.toMatchObject({ reason: 'timeout', code: 'audit_unavailable', status: 503 });
    await expect(commits.add(2)).rejects.toMatchObject({ reason: 'timeout' });
    await expect(commits.add(3)).rejects.toMatchObject({ reason: 'timeout' });
    hanging.finish();
    await commits.drain();
    expect(batches.map(({ items }) => items)).toEqual([[1]]);
  });

  it('refuses the neighbours of a bad item no more than they deserve', async () => {
    const written: number[] = [];
    const commits = groupCommit(async (batch) => {
      if (batch.includes(3)) throw new FaultError('item');
      written.push(...batch);
    });
    const results = await Promise.allSettled([1, 2, 3, 4, 5].map((item) => commits.add(item)));
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect(written).toEqual([1, 2, 4, 5]);
  });

  it('asks a store that failed once for the whole batch', async () => {
    let writes = 0;
    const commits = groupCommit(async () => {
      writes += 1;
      throw new FaultError('store');
    });
    const results = await Promise.allSettled([1, 2, 3].map((item) => commits.add(item)));
    expect(results.every(({ status }) => status === 'rejected')).toBe(true);
    expect(writes).toBe(1);
  });

  it('gives the reason of the store as the cause alone', async () => {
    const commits = groupCommit(() => Promise.reject(new Error('SELECT secret FROM /var/lib/x')));
    const error: unknown = await commits.add(1).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(AuditUnavailableError);
    expect(error).toMatchObject({ message: 'The audit record could not be stored.', reason: 'store' });
    expect(error).toHaveProperty('cause.message', 'SELECT secret FROM /var/lib/x');
  });

  it('tries again while the store is busy', async () => {
    let writes = 0;
    const commits = groupCommit(async () => {
      writes += 1;
      if (writes < 4) throw new FaultError('busy');
    });
    await commits.add(1);
    expect(writes).toBe(4);
  });

  it('stops trying at the deadline, and never writes a refused item later', async () => {
    let isBusy = true;
    const written: number[] = [];
    const commits = groupCommit(
      async (batch) => {
        if (isBusy) throw new FaultError('busy');
        written.push(...batch);
      },
      { timeoutMs: 200 },
    );
    await expect(commits.add(1)).rejects.toMatchObject({ reason: 'timeout', cause: { message: 'busy' } });
    isBusy = false;
    await commits.add(2);
    expect(written).toEqual([2]);
  });

  it('works again by itself after a failure', async () => {
    let isDown = true;
    const commits = groupCommit(async () => {
      if (isDown) throw new FaultError('store');
    });
    await expect(commits.add(1)).rejects.toMatchObject({ reason: 'store' });
    isDown = false;
    await commits.add(2);
  });

  it('drains what it has taken and takes no more', async () => {
    const { write, next } = heldWrite();
    const commits = groupCommit(write, { maxBatch: 1 });
    const taken = [commits.add(1), commits.add(2)];
    const drained = commits.drain();
    await expect(commits.add(3)).rejects.toMatchObject({ reason: 'stopped' });
    (await next(0)).finish();
    (await next(1)).finish();
    await drained;
    await Promise.all(taken);
    await commits.drain();
  });

  it('settles each item once and in order, writes it once or refuses it, whatever the store does', async () => {
    const fault = fc.constantFrom<(WriteFault | 'ok')[]>('ok', 'ok', 'ok', 'busy', 'store');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fault, { maxLength: 12 }),
        fc.array(fc.record({ turns: fc.integer({ min: 0, max: 3 }), isBad: fc.boolean() }), {
          maxLength: 30,
        }),
        fc.integer({ min: 1, max: 7 }),
        async (faults, items, maxBatch) => {
          const written: number[] = [];
          const settled: number[] = [];
          const longest = { batch: 0 };
          const weather = faults.values();
          const commits = groupCommit(
            async (batch) => {
              longest.batch = Math.max(longest.batch, batch.length);
              const answer = weather.next().value ?? 'ok';
              if (answer !== 'ok') throw new FaultError(answer);
              if (batch.some((item) => items[item]?.isBad)) throw new FaultError('item');
              await Promise.resolve();
              written.push(...batch);
            },
            { maxBatch },
          );
          const results: Promise<boolean>[] = [];
          for (const [item, { turns }] of items.entries()) {
            for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
            const added = commits.add(item).then(
              () => true,
              () => false,
            );
            results.push(added.finally(() => settled.push(item)));
          }
          const outcomes = await Promise.all(results);
          await commits.drain();

          expect(written).toEqual([...items.keys()].filter((item) => outcomes[item]));
          expect(settled).toEqual([...items.keys()]);
          expect(written.some((item) => items[item]?.isBad)).toBe(false);
          expect(longest.batch).toBeLessThanOrEqual(maxBatch);
        },
      ),
      { numRuns: 150 },
    );
  });
});
