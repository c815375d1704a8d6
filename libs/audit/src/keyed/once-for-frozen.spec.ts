import { onceForFrozen } from './once-for-frozen.js';

describe('onceForFrozen', () => {
  it('computes once for what can never change', () => {
    const text = onceForFrozen(({ name }: { name: string }) => ({ text: name }));
    const priya = Object.freeze({ name: 'priya' });
    expect(text(priya)).toBe(text(priya));
    expect(text(Object.freeze({ name: 'priya' }))).not.toBe(text(priya));
  });

  it('computes anew for what might have changed', () => {
    const text = onceForFrozen(({ name }: { name: string }) => name);
    const somebody = { name: 'priya' };
    expect(text(somebody)).toBe('priya');
    somebody.name = 'marco';
    expect(text(somebody)).toBe('marco');
    expect(text(Object.freeze(somebody))).toBe('marco');
  });
});
