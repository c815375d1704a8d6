import { readOptions } from './options.js';
import { SECTIONS } from './section-names.js';

describe('readOptions', () => {
  it('measures everything unless something is named', () => {
    expect(readOptions([])).toMatchObject({ sections: SECTIONS, verify: undefined, quick: false });
    expect(readOptions(['--only', 'decisions,lists']).sections).toEqual(['decisions', 'lists']);
  });

  it('verifies a log of any size, and measures nothing else then', () => {
    expect(readOptions(['--verify', '1_000_000'])).toMatchObject({ verify: 1_000_000, sections: ['verify'] });
  });

  it.each([
    [['--only', 'nonsense'], 'There is no section "nonsense"'],
    [['--verify', 'many'], 'takes a number of records'],
    [['--verify', '0'], 'takes a number of records'],
    [['--wrong'], 'Unknown option'],
  ])('refuses %j', (args, sentence) => {
    expect(() => readOptions(args)).toThrow(sentence);
  });
});
