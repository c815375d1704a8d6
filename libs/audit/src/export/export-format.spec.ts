import fc from 'fast-check';

import { anyRecord, CALL } from '../reading/records.fixture.js';
import { safeText } from '../safe-text.js';
import { EXPORT_FORMATS, lineOf } from './export-format.js';

/** Line ends, terminal escapes and what turns the direction of text. */
const UNSAFE = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/u;

describe.each(EXPORT_FORMATS)('A line of the format %s', (format) => {
  it('is one line of JSON that no terminal minds, whatever the record holds', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        const line = lineOf(record, format);
        expect(line).not.toMatch(UNSAFE);
        expect(typeof JSON.parse(line)).toBe('object');
      }),
    );
  });
});

describe('A line of the format jsonl', () => {
  it('begins with the number, the id and the time, and leaves out what is not known', () => {
    const line = lineOf(CALL, 'jsonl');
    expect(line).toMatch(/^\{"seq":1,"id":"019a8c00-[^"]+","at":"2026-11-21T08:00:00.000Z",/);
    expect(line).not.toContain('null');
  });

  it('means what the record says', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        const { subject, entry } = JSON.parse(lineOf(record, 'jsonl')) as {
          subject?: string;
          entry?: string;
        };
        // What JSON cannot carry through UTF-8 is a lone surrogate, which the escape stands for.
        expect(safeText(subject ?? '')).toBe(safeText(record.subject ?? ''));
        expect(safeText(entry ?? '')).toBe(safeText(record.entry ?? ''));
      }),
    );
  });
});
