/**
 * The words of the domain: addresses, names, and the reasons for which a visit ends. Knows no wording and no socket.
 */
import * as Data from "effect/Data"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/** A peer as people read it: `ip:port`, IPv6 as `[::1]:port`, an IPv4-mapped address as IPv4. */
export const Address = Schema.String.pipe(Schema.brand("Address"))
export type Address = typeof Address.Type

/** What a user is called: its address at first, a `ChosenName` after a rename. */
export const Name = Schema.String.pipe(Schema.brand("Name"))
export type Name = typeof Name.Type

/** What makes two names the same name. Compare names by nothing else. */
export const NameKey = Schema.String.pipe(Schema.brand("NameKey"))
export type NameKey = typeof NameKey.Type

/** Why a visit ended; there is no other way out of a session. */
export type EndReason =
  /** the user typed `/quit` */
  | "quit"
  /** the client closed its writing half, and everything that it had sent was carried out */
  | "end-of-input"
  /** reset, broken pipe, or no answer to TCP keep-alive */
  | "reset"
  /** silent for longer than the idle timeout */
  | "idle"
  /** its socket took nothing for longer than the stall timeout */
  | "stalled"
  | "shutdown"
  /** it spoke HTTP, TLS, SSH or the PROXY protocol; nothing of it was said */
  | "foreign"
  /** a bug in a command: logged with its cause */
  | "defect"

/** A cap that one more connection would break. */
export type CapReason =
  /** `--max-connections` are open */
  | "server-full"
  /** `--max-connections-per-ip` are open */
  | "address-full"

/** Why a connection came to no visit. */
export type RefusalReason =
  | CapReason
  /** no TLS handshake was finished in time */
  | "handshake-timeout"
  /** the peer was gone before the end of its TLS handshake */
  | "handshake-closed"
  /** something else than TLS came in through its door */
  | "handshake-not-tls"
  /** the peer knows no TLS version that is allowed */
  | "handshake-version"
  /** anything else that OpenSSL or the peer did not like */
  | "handshake-failed"

/** The name, or one that counts as the same, is held by somebody else. */
export class NameTaken extends Data.TaggedError("NameTaken")<{ readonly name: Name }> {
  override get message() {
    return `the name ${this.name} is taken`
  }
}

/** Nobody online holds this name. */
export class NoSuchUser extends Data.TaggedError("NoSuchUser")<{ readonly name: string }> {
  override get message() {
    return `nobody online is called ${this.name}`
  }
}

const invisible = /\p{Default_Ignorable_Code_Point}/gu

/**
 * The key of any text: NFKC and full case folding, and, as in Unicode's NFKC_Casefold (UAX #44), without code points
 * that show nothing. JavaScript has no case folding; lower case and then upper case identifies all that it would.
 */
export const nameKey = (text: string): NameKey =>
  NameKey.make(
    text.normalize("NFKC").replace(invisible, "").toLowerCase().toUpperCase().normalize("NFKC"),
    { disableValidation: true }
  )

/**
 * No text with more UTF-16 units can be normalised to a name. To be looked at before anything is normalised: that takes
 * quadratic time where marks are out of order, and a hostile line has room for thousands.
 */
export const longestName = 256

const chosen = /^[\p{L}\p{M}\p{Nd}_.-]{1,32}$/u
const reserved: ReadonlySet<NameKey> = new Set(["server", "system"].map(nameKey))

/**
 * The name that a user may take with this text: NFC, 1 to 32 code points of letters, marks, digits, `_`, `-` and `.`,
 * of which something can be seen, and not `server` or `system`. `None` if there is no such name.
 */
export const chooseName = (text: string): Option.Option<Name> => {
  if (text.length > longestName) return Option.none()
  const name = text.normalize("NFC")
  const key = nameKey(name)
  return chosen.test(name) && key !== "" && !reserved.has(key)
    ? Option.some(Name.make(name, { disableValidation: true }))
    : Option.none()
}

/** The address of a peer, from what its socket says of it. */
export const address = (ip: string, port: number): Address => {
  const plain = ip.replace(/^::ffff:(?=\d+\.)/i, "")
  return Address.make(plain.includes(":") ? `[${plain}]:${port}` : `${plain}:${port}`, { disableValidation: true })
}
