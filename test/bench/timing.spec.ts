import { timeInTurns, type Timed } from './timing.js';

const PLAN = { rounds: 3, milliseconds: 2, times: 5 };

function row(id: string, isBaseline?: boolean): Timed {
  const batch = (times: number) => {
    let sum = 0;
    for (let turn = 0; turn < times * 100; turn += 1) sum += Math.sqrt(turn);
    return sum;
  };
  return { id, label: id, batch, ...(isBaseline === undefined ? {} : { isBaseline }) };
}

describe('timeInTurns', () => {
  it('compares each row with the last baseline before it, and a baseline with itself', async () => {
    const [first, second, other, last] = await timeInTurns(
      [row('first'), row('second'), row('other', true), row('last')],
      PLAN,
    );
    expect(first?.ratio).toEqual({ median: 1, from: 1, to: 1 });
    expect(other?.ratio).toEqual({ median: 1, from: 1, to: 1 });
    for (const [own, baseline] of [
      [second, first],
      [last, other],
    ]) {
      const ratios = own?.rounds.map(({ median }, round) => median / (baseline?.rounds[round]?.median ?? 0));
      expect(ratios).toContain(own?.ratio.median);
    }
  });

  it('waits for what takes its time, and gives every round', async () => {
    let isOpen = false;
    const slow: Timed = {
      id: 'slow',
      label: 'slow',
      batch: async () => {
        if (isOpen) throw new Error('Two were under way at once.');
        isOpen = true;
        await new Promise((resolve) => setImmediate(resolve));
        isOpen = false;
      },
    };
    const [measured] = await timeInTurns([slow], PLAN);
    expect(measured?.rounds).toHaveLength(3);
    expect(measured?.median).toBeGreaterThan(0);
  });

  it('fails when what is timed does', async () => {
    const broken = { ...row('broken'), batch: () => Promise.reject(new Error('not as it should be')) };
    await expect(timeInTurns([broken], PLAN)).rejects.toThrow('not as it should be');
  });
});
