/** What users are called: which names may be chosen, and when two are the same. Knows nobody who has one. */
import * as Brand from "effect/Brand"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { skeleton } from "./Skeleton.ts"

/** What a user is called: its address at first, a chosen name after a rename. */
export type Name = string & Brand.Brand<"Name">
export const Name = Brand.nominal<Name>()

/** What makes two names the same name. Compare names by nothing else. */
export type NameKey = string & Brand.Brand<"NameKey">
/** Of a key that was kept. */
export const NameKey = Brand.nominal<NameKey>()

/**
 * No text with more UTF-16 units can be normalised to a name. To be looked at before anything is normalised: that takes
 * quadratic time where marks are out of order, and a hostile line has room for thousands.
 */
export const longestName = 256

const ignorable = /\p{Default_Ignorable_Code_Point}/gu

/**
 * The key of any text: NFKC and full case folding, and, as in Unicode's NFKC_Casefold (UAX #44), without code points
 * that show nothing. JavaScript has no case folding; lower case and then upper case identifies all that it would.
 */
export const nameKey = (text: string): NameKey =>
  NameKey(text.normalize("NFKC").replace(ignorable, "").toLowerCase().toUpperCase().normalize("NFKC"))

const letters = /^[\p{L}\p{M}\p{Nd}_.-]{1,32}$/u
// Ignorable ones, and the letters and marks that Unicode calls blank or filler without calling them ignorable.
// And the joiners and viramas that join what is around them, and are not seen themselves.
const fillers = /\u{13441}|\u{13442}|\u{16fe4}/u
const joiners = /\u{2d7f}|\u{10a3f}|\u{1107f}|\u{1193e}|\u{11a47}|\u{11a99}|\u{11f42}/u
const isInvisible = (name: string) =>
  /\p{Default_Ignorable_Code_Point}/u.test(name) || fillers.test(name) || joiners.test(name)
const visible = /[\p{L}\p{Nd}]/u
const badMarks = /^\p{M}|\p{M}{4}/u
// What stands before or between the parts of a line or a command.
const structural = /[:|[\]*#]/
const digits = /^[\p{Nd}.]+$/u
// The skeleton of digits and dots: `0` looks like `O`, and `1` like `l`.
const digitLooks = /^[\p{Nd}lO]*\.[\p{Nd}lO.]*$/u

/** How a name may look, in small letters: as it is, and as either of its cases looks. */
const looks = (name: string): ReadonlyArray<string> =>
  [name, name.toLowerCase(), name.toUpperCase()].map((form) => skeleton(skeleton(form).toLowerCase()))

const reservedNames = ["server", "system", "系统", "系統", "管理员", "管理員", "root", "admin"]
let reserved: ReadonlySet<string> | undefined

/**
 * The text as a name, reserved or not: NFC, 1 to 32 code points of letters, marks, digits, `_`, `-` and `.`, which cannot
 * look like an address, like what stands before a line, or like nothing.
 */
export const allowedName = (text: string): Option.Option<Name> => {
  if (text.length > longestName) return Option.none()
  const name = text.normalize("NFC")
  const look = skeleton(name)
  return letters.test(name) && visible.test(name) && !isInvisible(name) && !badMarks.test(name) &&
      !structural.test(look) && !digits.test(name) && !digitLooks.test(look)
    ? Option.some(Name(name))
    : Option.none()
}

/** The name that a user may take with this text. Left: why there is none. */
export const chooseName = (text: string): Either.Either<Name, "not allowed" | "reserved"> => {
  const allowed = allowedName(text)
  if (Option.isNone(allowed)) return Either.left("not allowed")
  const name = allowed.value
  reserved ??= new Set(reservedNames.flatMap(looks))
  // A name that folds to a reserved one is that name, however it is written.
  const forms = [...looks(name), ...looks(name.normalize("NFKC"))]
  return forms.some((look) => reserved?.has(look)) ? Either.left("reserved") : Either.right(name)
}
