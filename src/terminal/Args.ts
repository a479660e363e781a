/** The command line of the client. */
import { Command, CommanderError, Option } from "commander"
import * as Net from "node:net"
import manifest from "../../package.json" with { type: "json" }
import type { Language } from "./Language.ts"
import type { Target } from "./Link.ts"

export interface Wanted extends Target {
  readonly name: string | undefined
  readonly secretFile: string | undefined
  readonly room: string
  readonly language: Language | undefined
}

export type Parsed =
  | { readonly wanted: Wanted }
  | { readonly words: string; readonly code: 0 | 2 }

const usualPort = 8888

/** `HOST`, `HOST:PORT`, `[IPv6]:PORT` or an IPv6 address alone. */
export const addressOf = (text: string): { readonly host: string; readonly port: number } | undefined => {
  if (Net.isIPv6(text)) return { host: text, port: usualPort }
  const [, bracketed, named, digits = String(usualPort)] =
    /^(?:\[([^\]]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const host = bracketed === undefined ? named : Net.isIPv6(bracketed) ? bracketed : undefined
  const port = Number(digits)
  return host === undefined || port === 0 || port > 65_535 ? undefined : { host, port }
}

/** As Node writes it, however it was written; `undefined`: it is none. */
const fingerprintOf = (text: string): string | undefined => {
  const digits = text.replaceAll(":", "").toUpperCase()
  return /^[0-9A-F]{64}$/.test(digits) ? digits.replace(/..(?!$)/g, "$&:") : undefined
}

/** Reads the arguments behind the script. */
export const parse = (args: ReadonlyArray<string>): Parsed => {
  let words = ""
  const command = new Command("tellnet-client")
    .description("The chat in a terminal, for people; in a pipe, for programs.")
    .argument("<HOST[:PORT]>", `the server, on port ${usualPort} where none is given`)
    .addOption(new Option("--tls", "talk TLS"))
    .addOption(new Option("--tls-fingerprint <SHA256>", "trust this one certificate, and no other"))
    .addOption(new Option("--name <NAME>", "what to be called"))
    .addOption(new Option("--secret-file <FILE>", "its first line is the secret of that name"))
    .addOption(new Option("--room <ROOM>", "where to go").default("lobby"))
    .addOption(new Option("--lang <LANG>", "zh or en; else as LC_ALL, LC_MESSAGES or LANG says").choices(["zh", "en"]))
    .version(manifest.version, "--version", "print the version")
    .helpOption("--help", "print this")
    .addHelpText(
      "after",
      "\nExits with 0 when all is said, 1 when it cannot connect or was refused, 2 when it is not used so."
    )
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void (words += text),
      writeErr: (text) => void (words += text)
    })
  try {
    command.parse(args, { from: "user" })
  } catch (error) {
    if (error instanceof CommanderError) return { words, code: error.exitCode === 0 ? 0 : 2 }
    throw error
  }
  const option = (name: string): string | undefined => command.getOptionValue(name)
  const [where = ""] = command.args
  const address = addressOf(where)
  if (address === undefined) return { words: `HOST:PORT must be an address, not ${JSON.stringify(where)}.\n`, code: 2 }
  const typed = option("tlsFingerprint")
  const fingerprint = typed === undefined ? undefined : fingerprintOf(typed)
  if (typed !== undefined && fingerprint === undefined) {
    return { words: `--tls-fingerprint must be 64 hexadecimal digits, not ${JSON.stringify(typed)}.\n`, code: 2 }
  }
  if (option("secretFile") !== undefined && option("name") === undefined) {
    return { words: "--secret-file goes with --name.\n", code: 2 }
  }
  const language = option("lang")
  return {
    wanted: {
      ...address,
      isTls: option("tls") !== undefined || fingerprint !== undefined,
      fingerprint,
      name: option("name"),
      secretFile: option("secretFile"),
      room: (option("room") ?? "").replace(/^[#＃]/, ""),
      language: language === "zh" || language === "en" ? language : undefined
    }
  }
}
