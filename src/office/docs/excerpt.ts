const LENGTH = 160;

/** The part of a text around the first occurrence of any of the words, on one line. */
export function excerpt(text: string, words: readonly string[]): string {
  const line = text.replace(/\s+/g, ' ').trim();
  const found = words.map((word) => line.toLowerCase().indexOf(word)).filter((index) => index >= 0);
  const start = Math.max(0, Math.min(...found, line.length) - LENGTH / 4);
  const from = found.length === 0 ? 0 : start;
  const part = line.slice(from, from + LENGTH);
  return `${from > 0 ? '…' : ''}${part}${from + LENGTH < line.length ? '…' : ''}`;
}
