/** A port that cannot be had, in words for whoever chose it. */
import * as Data from "effect/Data"

/** The address cannot be listened on, or not any more. */
export class CannotListen extends Data.TaggedError("CannotListen")<{
  readonly host: string
  readonly port: number
  /** The flags by which another address can be chosen. */
  readonly flags: Flags
  readonly cause: unknown
}> {
  override get message() {
    const code = codeOf(this.cause)
    return `Cannot listen on ${this.host} port ${this.port}: ${reasons(this.flags)[code] ?? code}.`
  }
}

interface Flags {
  readonly host: string
  readonly port: string
}

const reasons = ({ host, port }: Flags): Record<string, string> => ({
  EADDRINUSE: `the port is in use, choose another ${port}`,
  EADDRNOTAVAIL: `this machine has no such address, choose another ${host}`,
  ENOTFOUND: `no such host name, choose another ${host}`,
  EACCES: `this user may not, choose a ${port} above 1023`
})

const codeOf = (cause: unknown): string => {
  if (typeof cause !== "object" || cause === null) return String(cause)
  if ("code" in cause && typeof cause.code === "string") return cause.code
  return "cause" in cause ? codeOf(cause.cause) : String(cause)
}
