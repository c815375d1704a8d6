import { uuidV7 } from '@sallyport/mcp';

import { announced, announcementOf, type Announcement } from './announcement.js';
import { sealsHolding } from './whereabouts.js';

const day = (number: number) => Date.UTC(2026, 0, number);
const announcement = (from: number, days: readonly [number, number]): Announcement => ({
  from,
  to: from + 9,
  sha256: 'a'.repeat(64),
  file: `${from}.jsonl`,
  first: new Date(day(days[0])).toISOString(),
  last: new Date(day(days[1])).toISOString(),
});
const announcements = [announcement(0, [1, 5]), announcement(10, [5, 9])];
const seals = announcements.map(({ from, to, sha256, file }) => ({ from, to, sha256, file, at: day(20) }));
const filesFor = (id: string) => sealsHolding(id, seals, announcements).map(({ file }) => file);

describe('The file that holds a sealed record', () => {
  it('is known by the time in its id', () => {
    expect(filesFor(uuidV7(day(3)))).toEqual(['0.jsonl']);
    expect(filesFor(uuidV7(day(7)))).toEqual(['10.jsonl']);
    expect(filesFor(uuidV7(day(5)))).toEqual(['0.jsonl', '10.jsonl']);
    expect(filesFor(uuidV7(day(12)))).toEqual([]);
  });

  it('may be any for an id without a time, or where nothing says what a file holds', () => {
    expect(filesFor('9b2e1d7c-5d0f-4c9e-8f51-0b7c1c0a4f11')).toHaveLength(2);
    expect(sealsHolding(uuidV7(day(12)), seals, [])).toHaveLength(2);
    const [first] = announcements;
    expect(
      sealsHolding(uuidV7(day(12)), seals.slice(0, 1), [{ ...first!, first: '', last: '' }]),
    ).toHaveLength(1);
  });
});

describe('The announcement of a seal', () => {
  it('is read from the details of the record', () => {
    const [first] = announcements;
    expect(announcementOf(JSON.stringify(announced(first!)))).toEqual(first);
  });

  it.each([
    ['nothing', null],
    ['no JSON', '{'],
    ['a list', '[]'],
    ['a negative index', '{"from":"-1","to":"9","sha256":"a","file":"b"}'],
    ['an index that is too large', '{"from":"0","to":"9999999999999999","sha256":"a","file":"b"}'],
    ['a number', '{"from":0,"to":9,"sha256":"a","file":"b"}'],
    ['no digest', '{"from":"0","to":"9","file":"b"}'],
  ])('is none in %s', (_, details) => {
    expect(announcementOf(details)).toBeUndefined();
  });
});
