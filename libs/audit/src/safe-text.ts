import { createHash } from 'node:crypto';

/**
 * What could change how a terminal or a page shows the text around it, or be invisible in it: control characters and
 * line breaks (C0, DEL, C1, U+2028/9), lone surrogates, which no UTF-8 column can hold, bidirectional controls and other
 * format characters (Trojan Source, CVE-2021-42574), and whatever Unicode lets a page show as nothing: soft hyphens,
 * joiners, variation selectors, fillers, tags; at last two that show nothing and are no such thing, a blank of Braille and
 * one of music. NUL among them is refused by PostgreSQL. The joiners of emoji go with them.
 */
const UNSAFE = /[\p{Cc}\p{Cs}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\u{1d159}]/gu;

/**
 * What a spreadsheet takes for the beginning of a formula, in its wide forms as well (OWASP, CSV injection), also behind
 * blanks, which an import may take away.
 */
const FORMULA_START = /^(\s*)([=+\-@\uff1d\uff0b\uff0d\uff20])/;
/**
 * A sign and one word, such as an id in base64url or a telephone number: to do anything, a formula needs at least one
 * character more. One id in 64 begins with `-`, and must be found as it is.
 */
const SIGNED_WORD = /^[+\-@][\w.-]*$/;

/** Printable ASCII that is no formula: most of what is recorded, and safe as it is. Told at a glance. */
const PLAIN = /^(?! *[=+\-@])[ -~]*$/;

/** Stands for what was cut off. Sixteen digits keep two long texts with one beginning apart. */
const CUT = '…';
const CUT_LENGTH = CUT.length + 16;

/**
 * `text` with every unsafe character as a visible `\uXXXX`. The escapes are also those of JSON, so the safe form of a
 * JSON text is a JSON text of the same value.
 */
export function safeText(text: string): string {
  return text.replace(UNSAFE, escapeUnits);
}

/**
 * {@link safeText}, with the first character as an escape, too, when a spreadsheet would run what follows. For a text that
 * stands by itself in a cell: records are copied into spreadsheets by people who did not write them.
 */
export function safeCell(text: string): string {
  const safe = safeText(text);
  if (SIGNED_WORD.test(safe)) return safe;
  return safe.replace(FORMULA_START, (_, blanks: string, sign: string) => blanks + escapeUnits(sign));
}

/** A JSON value with every text in it, names as well, in the form of {@link safeCell}. */
export function safeValue(value: unknown): unknown {
  if (typeof value === 'string') return safeCell(value);
  if (Array.isArray(value)) return value.map(safeValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [safeCell(name), safeValue(each)]));
}

/**
 * {@link safeCell}, at most `limit` UTF-16 units long (at least 18). A longer text ends in `…` and the first 16
 * hexadecimal digits of the SHA-256 of the whole.
 */
export function boundedText(text: string, limit: number): string {
  if (text.length <= limit && PLAIN.test(text)) return text;
  // An escape is never shorter than what it stands for, so a prefix of the text is enough to fill the limit.
  const safe = safeCell(text.slice(0, limit + 1));
  if (text.length <= limit && safe.length <= limit) return safe;
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return `${prefixOf(text, limit - CUT_LENGTH)}${CUT}${digest}`;
}

/** An escape or a cut, as {@link boundedText} writes them. */
const WRITTEN_BY_US = /\\u[0-9a-f]{4}|…[0-9a-f]{16}$/;

/**
 * Whether the text looks like the stored form of another one, so that records of both could be taken for each other:
 * a tenant that is named `\u003dacme` for those of `=acme`.
 */
export function looksStored(text: string): boolean {
  return WRITTEN_BY_US.test(text);
}

/** As many whole characters of `text` as fit in safe form: an escape or a surrogate pair is never cut in two. */
function prefixOf(text: string, limit: number): string {
  let prefix = '';
  for (const character of text) {
    const isFormula = prefix.trim() === '' && FORMULA_START.test(character);
    const safe = isFormula ? escapeUnits(character) : safeText(character);
    if (prefix.length + safe.length > limit) break;
    prefix += safe;
  }
  return prefix;
}

function escapeUnits(character: string): string {
  return Array.from({ length: character.length }, (_, unit) => escapeUnit(character.charCodeAt(unit))).join(
    '',
  );
}

function escapeUnit(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}
