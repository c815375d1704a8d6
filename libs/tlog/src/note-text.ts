/** UTF-16 units beyond which a note is refused unread. A note with 16 post-quantum signatures is a tenth of it. */
export const MAX_NOTE_LENGTH = 1_000_000;

const LINE_FEED = 0x0a;
const SPACE = 0x20;

/** Valid UTF-8 without ASCII control characters other than the line feed (c2sp.org/signed-note, "Format"). */
export function isNoteText(text: string): boolean {
  if (!text.isWellFormed()) return false;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < SPACE && unit !== LINE_FEED) return false;
  }
  return true;
}

/** Not empty, without Unicode spaces, plus and control characters (c2sp.org/signed-note, "Format"). */
export function isKeyName(name: string): boolean {
  return name !== '' && isNoteText(name) && !/[\p{White_Space}+]/u.test(name);
}
