/** Lines that look like words for everyone, and were meant for nobody else: commands with a secret, or with a private text. */
import { blank } from "../domain/Text.ts"

/** A pattern for this word in letters of either width: a Chinese input method types wide ones too. */
export const anyWidth = (word: string) =>
  word.replace(/[a-z]/g, (letter) => `[${letter}${String.fromCodePoint(letter.codePointAt(0)! + 0xfee0)}]`)

// What stands between a word and what goes with it; and in the place of a slash, of which keyboards have it near.
const between = "[\\t\\p{Zs}:：|｜]"
const nearSlash = "[\\\\＼.．。、]"

/** Of a line that may begin with slashes too, or only with what was meant as one. */
const slashedOrNot = (pattern: string) =>
  new RegExp(`^[/／\\t\\p{Zs}]*(?:${nearSlash}[/／\\t\\p{Zs}]*)?${pattern}`, "iu")
const unslashed = (pattern: string) => new RegExp(`^${blank}*(?:${nearSlash}${blank}*)?${pattern}`, "iu")

const slips: ReadonlyArray<{ readonly form: RegExp; readonly usage: string }> = [
  { form: slashedOrNot(`${anyWidth("rename")}${between}[^]*[#＃]`), usage: "rename|NAME" },
  { form: slashedOrNot(`${anyWidth("nick")}${between}[^]*[#＃]`), usage: "/nick NAME" },
  { form: slashedOrNot(`${anyWidth("op")}${between}`), usage: "/op SECRET" },
  // One word of at least six characters, with a digit: `secret garden` and `secret meeting at 10:30` are plain sentences.
  {
    form: unslashed(`${anyWidth("secret")}${between}+(?!${between})(?=\\S*\\p{Nd})\\S{6,}${blank}*$`),
    usage: "/secret NEW"
  },
  { form: unslashed(`${anyWidth("msg")}${blank}*[|｜][^|｜]*[|｜]`), usage: "to|NAME|TEXT" }
]

/** A pattern for how a slip may begin, behind blanks. Slashes aside. */
export const head = `(?:${nearSlash}|(?:${
  ["rename", "nick", "op", "secret", "msg"].map(anyWidth).join("|")
})${between})`

/** The right form, if words that are about to be said to everyone look like what is not meant for them. */
export const usage = (line: string): string | undefined => slips.find(({ form }) => form.test(line))?.usage
