import type { Principal } from '@sallyport/mcp';
import { LiveRevocations } from './live.revocations.js';
import type { RevocationRecord } from './revocation-record.entity.js';

const priya: Principal = {
  kind: 'user',
  issuer: 'https://id.example',
  subject: 'priya',
  actors: [],
  scopes: [],
  roles: [],
  credential: { kind: 'jwt' },
  claims: {},
};

/** A history whose rows appear when the test says so, and whose answers wait when the test says so. */
class History {
  readonly steps: RevocationRecord[] = [];
  looks = 0;
  gate: Promise<void> = Promise.resolve();
  broken = false;

  add(seq: number, action: 'revoke' | 'restore' = 'revoke', value = 'priya'): void {
    this.steps.push({
      seq,
      at: 0,
      action,
      kind: 'user',
      value,
      issuer: null,
      tenant: null,
      reason: null,
      by: 'spec',
    });
  }

  async countAfter(seq: number): Promise<number> {
    this.looks += 1;
    if (this.broken) throw new Error('gone');
    const count = this.steps.filter((step) => step.seq > seq).length;
    await this.gate;
    return count;
  }

  async after(seq: number): Promise<RevocationRecord[]> {
    return this.steps.filter((step) => step.seq > seq).toSorted((a, b) => a.seq - b.seq);
  }
}

describe('LiveRevocations', () => {
  let history: History;
  let live: LiveRevocations;

  beforeEach(() => {
    history = new History();
    live = new LiveRevocations(history, 3_600_000);
  });
  afterEach(() => live.stop());

  const isRevoked = async () => (await live.current()).isRevoked(priya);

  it('knows a step that another process took, with the next question', async () => {
    expect(await isRevoked()).toBe(false);
    history.add(1);
    expect(await isRevoked()).toBe(true);
    history.add(2, 'restore');
    expect(await isRevoked()).toBe(false);
  });

  it('finds a row that appears behind one with a higher number', async () => {
    history.add(7, 'revoke', 'somebody');
    await live.current();
    history.add(6);
    expect(await isRevoked()).toBe(true);
  });

  it('lets the later step of a target win, whichever appears first', async () => {
    history.add(9, 'restore');
    await live.current();
    history.add(8, 'revoke');
    expect(await isRevoked()).toBe(false);
  });

  it('asks once for all that wait, and never answers with a look that began before the question', async () => {
    let open = () => undefined as void;
    history.gate = new Promise((resolve) => (open = resolve));
    const first = isRevoked();
    history.add(1);
    const later = [isRevoked(), isRevoked(), isRevoked()];
    open();
    history.gate = Promise.resolve();
    await first;
    expect(await Promise.all(later)).toEqual([true, true, true]);
    expect(history.looks).toBe(2);
  });

  it('rejects when the history cannot be read, and works again once it can', async () => {
    history.add(1);
    history.broken = true;
    await expect(live.current()).rejects.toThrow('gone');
    history.broken = false;
    expect(await isRevoked()).toBe(true);
  });

  it('tells of changes, and of changes alone', async () => {
    const told: boolean[] = [];
    const stop = live.onChange((view) => told.push(view.isRevoked(priya)));
    await live.current();
    history.add(1);
    await live.current();
    await live.current();
    history.add(2, 'restore');
    await live.current();
    stop();
    history.add(3);
    await live.current();
    expect(told).toEqual([true, false]);
  });

  it('stays right over a long history', async () => {
    for (let seq = 1; seq <= 2000; seq += 1) {
      history.add(seq, seq % 2 === 1 ? 'revoke' : 'restore', `user-${seq % 7}`);
      if (seq % 50 === 0) await live.current();
    }
    history.add(2001);
    expect(await isRevoked()).toBe(true);
    expect((await live.active()).map(({ value }) => value)).toContain('priya');
  });
});
