import type { Entry } from '../catalog/entry.js';
import { completionResult } from './completion-result.js';
import { ResultMismatchError } from './handler-result.js';

const entry = { kind: 'prompt', name: 'triage', source: 'Support.triage' } as Entry;
const many = Array.from({ length: 101 }, (_, index) => String(index));

describe('completionResult', () => {
  it.each([
    [[], { values: [], total: 0, hasMore: false }],
    [['a', 'b'], { values: ['a', 'b'], total: 2, hasMore: false }],
    [many, { values: many.slice(0, 100), total: 101, hasMore: true }],
    [{ values: ['a'] }, { values: ['a'], total: 1, hasMore: false }],
    [
      { values: ['a'], total: 7 },
      { values: ['a'], total: 7, hasMore: true },
    ],
    [
      { values: ['a'], hasMore: true },
      { values: ['a'], total: 1, hasMore: true },
    ],
  ])('makes of %j what MCP carries', (returned, completion) => {
    expect(completionResult(entry, returned)).toEqual({ completion });
  });

  it.each([
    undefined,
    null,
    'a',
    7,
    {},
    [7],
    [undefined],
    { values: 'a' },
    { values: ['a'], total: 'x' },
    { values: ['a'], hasMore: 1 },
  ])('sends nothing for %j', (returned) => {
    expect(() => completionResult(entry, returned)).toThrow(ResultMismatchError);
  });
});
