import { excerpt } from './excerpt.js';

const text = `${'before '.repeat(40)}needle${' after'.repeat(40)}`;

describe('excerpt', () => {
  it('shows the words around the first hit, on one line', () => {
    const part = excerpt(text, ['absent', 'needle']);
    expect(part).toMatch(/^….*needle.*…$/);
    expect(part.length).toBeLessThanOrEqual(162);
  });

  it('shows the beginning when only the title holds the word', () => {
    expect(excerpt(text, ['absent'])).toMatch(/^before .*…$/);
  });

  it('shows a short text whole', () => {
    expect(excerpt(' one\n\ntwo ', ['two'])).toBe('one two');
  });
});
