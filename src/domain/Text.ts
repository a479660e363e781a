/** Text that is safe to show. */

// C0 but TAB, DEL, C1, the line and paragraph separators, and the bidirectional controls. A lone surrogate cannot come
// from UTF-8, but Buffer would write it as U+FFFD anyway.
const unsafe =
  // oxlint-disable-next-line no-control-regex -- control characters are what it is about
  /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** A pattern for a blank, for expressions with `u`. U+3000, which a Chinese input method types, is one. */
export const blank = "[\\t\\p{Zs}]"

const isBlank = (character: string | undefined): boolean => character !== undefined && /[\t\p{Zs}]/u.test(character)

/**
 * The text without blanks (TAB and Unicode's Zs) at its end, and at both ends. By hand: a regular expression tries the end of the
 * text from each blank in it, which takes quadratic time. All blanks are one code unit.
 */
export const trimmedEnd = (text: string): string => {
  let end = text.length
  while (end > 0 && isBlank(text[end - 1])) end--
  return text.slice(0, end)
}
export const trimmed = (text: string): string => trimmedEnd(text).replace(/^[\t\p{Zs}]+/u, "")

/** `text` with U+FFFD for whatever could break a line or drive a terminal. */
export const terminalSafe = (text: string): string => text.replace(unsafe, "\ufffd")
