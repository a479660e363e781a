/**
 * The flags of a server, made into settings. One table says all of it: what each flag is called, how its text is read, its
 * default, and its line in the help and in the README. Plain code, run once.
 */
import * as Duration from "effect/Duration"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Networks from "./domain/Networks.ts"
import { type Settings, usualFile } from "./ServerConfig.ts"

/** What the names of all variables begin with. */
export const prefix = "TELLNET_"
/** The variable from which a flag may come. */
export const envOf = (name: string) => `${prefix}${name.replaceAll("-", "_").toUpperCase()}`

/** How the text of a flag is read. */
interface Kind<A> {
  /** What stands for the value in the help. */
  readonly placeholder: string
  /** Completes the sentence "--flag must be …". */
  readonly expects: string
  readonly read: (text: string) => Option.Option<A>
}

/** What a flag is, for the help and the README: one line each. */
interface Row {
  readonly group: Group
  readonly name: string
  readonly fallback: string
  readonly what: string
  readonly placeholder: string
}

type Group = "Listening" | "Talking" | "Keeping" | "Limits" | "Watching"

const integer = (min: number, max: number): Kind<number> => ({
  placeholder: "N",
  expects: `a whole number from ${min} to ${max}`,
  read: (text) => Option.filter(Option.some(Number(text)), (n) => /^\d+$/.test(text) && n >= min && n <= max)
})

const oneOf = <const A extends string>(...values: ReadonlyArray<A>): Kind<A> => ({
  placeholder: values.join("|"),
  expects: values.join(" or "),
  read: (text) => Option.fromNullable(values.find((value) => value === text))
})

const text: Kind<string> = {
  placeholder: "TEXT",
  expects: "a text that is not empty",
  read: (text) => Option.liftPredicate(text.trim(), (text) => text !== "")
}

const file: Kind<string> = { ...text, placeholder: "FILE", expects: "the path of a file" }

const networks: Kind<Networks.Networks> = {
  placeholder: "CIDRS",
  expects: "addresses or networks such as 127.0.0.1,10.0.0.0/8,fd00::/8",
  read: Networks.read
}

/** What is not there unless it is given. */
const optional = <A>(absent: string, kind: Kind<A>): Kind<Option.Option<A>> => ({
  placeholder: kind.placeholder,
  expects: `${kind.expects}, or ${absent}`,
  read: (text) => text === absent ? Option.some(Option.none()) : Option.map(kind.read(text), Option.some)
})

// A timer of Node counts 2^31 ms at most.
const longest = Duration.days(24)

const units: Record<string, Duration.Unit> = { ms: "millis", s: "seconds", m: "minutes", h: "hours", d: "days" }

/** A time such as `90s`, `5m` or `2 hours`. */
export const decodeDuration = (text: string): Option.Option<Duration.Duration> => {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?) ?(ms|[smhd])$/.exec(text) ?? []
  return Duration.decodeUnknown(number !== undefined ? `${Number(number)} ${units[unit]}` : text === "0" ? 0 : text)
}

const duration = (min: Duration.Duration): Kind<Duration.Duration> => ({
  placeholder: "TIME",
  expects: `a time such as 90s, 5m or "2 hours", from ${Duration.format(min)} to 24d`,
  read: (text) => Option.filter(decodeDuration(text), Duration.between({ minimum: min, maximum: longest }))
})

// No timer counts these.
const days: Kind<Duration.Duration> = {
  placeholder: "TIME",
  expects: "a time such as 12h or 180d, from 1s to 36500d",
  read: (text) =>
    Option.filter(
      decodeDuration(text),
      Duration.between({ minimum: Duration.seconds(1), maximum: Duration.days(36_500) })
    )
}

const welcome: Kind<Settings["welcome"]> = {
  placeholder: "on|off|TEXT",
  expects: "on, off or a text of at most 200 characters without control characters",
  read: (text) => {
    if (text === "on" || text === "off") return Option.some(text)
    // Meant as on or off, and not as a line to greet with.
    if (/^(?:yes|no|true|false|none)$/i.test(text)) return Option.none()
    return /^[^\p{Cc}\p{Zl}\p{Zp}]{1,200}$/u.test(text) && text.trim() !== "" ? Option.some({ text }) : Option.none()
  }
}

const data: Kind<Settings["data"]> = {
  placeholder: "FILE|none",
  expects: "none or the path of a file",
  // "off" is what other flags call it.
  read: (text) => text === "" || text === "off" ? Option.none() : Option.some(text === "none" ? text : { file: text })
}

const servers: Kind<ReadonlyArray<string>> = {
  placeholder: "URLS",
  expects: "off, or addresses such as nats://10.0.0.1:4222,nats://10.0.0.2:4222 (for a login there is --nats-login)",
  read: (text) => {
    if (text === "off") return Option.some([])
    const urls = text.split(",").map((url) => url.trim())
    // Whoever logs in does so by a file: flags are seen by all who are on the machine.
    const isGood = (url: string) => {
      const [, port] = /^(?:nats|tls):\/\/[^\s@/]+:(\d{1,5})$/.exec(url) ?? []
      return Number(port) > 0 && Number(port) <= 65_535
    }
    return urls.every(isGood) ? Option.some(urls) : Option.none()
  }
}

/** Some of these with commas between them. */
const some = (placeholder: string, expects: string, read: (part: string) => string | undefined): Kind<
  ReadonlyArray<string>
> => ({
  placeholder,
  expects: `none, or ${expects}`,
  read: (text) => {
    const parts = text === "none" ? [] : text.split(",").map((part) => read(part.trim()))
    const known = parts.filter((part) => part !== undefined)
    return known.length === parts.length ? Option.some(known) : Option.none()
  }
})

const hostNames = some("NAMES", "names such as chat.example.org,chat", (part) => {
  const name = part.toLowerCase()
  return /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(name) ? name : undefined
})

const origins = some("URLS", "addresses such as https://chat.example.org", (part) => {
  const url = URL.canParse(part) ? new URL(part) : undefined
  // An address with a path means something else than an origin.
  return url !== undefined && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/` ? url.origin : undefined
})

const subject: Kind<string> = {
  placeholder: "NAME",
  expects: "1 to 32 of a-z, 0-9, _ and -",
  read: (text) => Option.liftPredicate(text, (text) => /^[a-z0-9_-]{1,32}$/.test(text))
}

const levels = ["all", "trace", "debug", "info", "warning", "error", "fatal", "none"]
const logLevel: Kind<LogLevel.LogLevel> = {
  placeholder: "LEVEL",
  expects: levels.join(", "),
  read: (text) => Option.fromNullable(LogLevel.allLevels.find(({ _tag }) => _tag.toLowerCase() === text.toLowerCase()))
}

const toggle: Kind<boolean> = {
  placeholder: "",
  expects: "true or false",
  read: (text) => Option.map(oneOf("true", "false").read(text), (value) => value === "true")
}

/** The table. `take` makes a value of each line. */
const settingsOf = (
  take: <A>(group: Group, name: string, kind: Kind<A>, fallback: string, what: string) => A
): Settings => ({
  host: take("Listening", "host", text, "127.0.0.1", "address to listen on; 0.0.0.0 or :: for all of them"),
  port: take("Listening", "port", integer(0, 65_535), "8888", "TCP port; 0 for any that is free"),
  noPlain: take("Listening", "no-plain", toggle, "false", "no port without TLS"),
  tlsPort: take("Listening", "tls-port", optional("off", integer(0, 65_535)), "off", "TCP port with TLS 1.2 and up"),
  tlsCert: take("Listening", "tls-cert", optional("none", file), "none", "certificate chain (PEM); SIGHUP rereads"),
  tlsKey: take("Listening", "tls-key", optional("none", file), "none", "its private key (PEM); SIGHUP rereads"),
  webPort: take("Listening", "web-port", optional("off", integer(0, 65_535)), "off", "HTTP: the page for browsers"),
  webTls: take("Listening", "web-tls", toggle, "false", "HTTPS there, with --tls-cert and --tls-key"),
  webHost: take("Listening", "web-host", hostNames, "none", "its names, beside IP addresses and localhost"),
  webOrigin: take("Listening", "web-origin", origins, "none", "other sites whose pages may talk there"),
  webProxy: take(
    "Listening",
    "web-proxy",
    optional("off", networks),
    "off",
    "HTTP proxies whose X-Forwarded-For is believed"
  ),
  keepAlive: take(
    "Listening",
    "keep-alive",
    duration(Duration.seconds(1)),
    "60s",
    "TCP probes a silent peer after this time"
  ),
  proxyProtocol: take(
    "Listening",
    "proxy-protocol",
    optional("off", networks),
    "off",
    "proxies that announce their clients by it"
  ),
  lang: take("Talking", "lang", oneOf("zh", "en"), "zh", "language of the server's own words"),
  welcome: take("Talking", "welcome", welcome, "on", "line for newcomers, after their own arrival"),
  replay: take("Talking", "replay", integer(0, 1000), "10", "last lines that a newcomer is shown"),
  addresses: take(
    "Talking",
    "addresses",
    oneOf("shown", "hidden"),
    "shown",
    "hidden: ~ and 8 characters for each network and day"
  ),
  opSecretFile: take(
    "Talking",
    "op-secret-file",
    optional("none", file),
    "none",
    "its first line, 16 to 128 bytes, makes operators"
  ),
  opPlain: take("Talking", "op-plain", toggle, "false", "it may come without TLS from other machines too"),
  data: take("Keeping", "data", data, usualFile, "file for what is said; none: kept in memory only"),
  dataSync: take("Keeping", "data-sync", toggle, "false", "wait for the disk at each commit"),
  keepLines: take("Keeping", "keep-lines", integer(1000, 1_000_000_000), "1000000", "lines kept in the file"),
  keepDays: take("Keeping", "keep-days", integer(1, 36_500), "90", "days for which they are kept"),
  keepBytes: take("Keeping", "keep-bytes", integer(1_048_576, 2 ** 50), "2147483648", "bytes that they may take there"),
  nats: take("Keeping", "nats", servers, "off", "NATS servers of several nodes, in place of --data"),
  natsPrefix: take("Keeping", "nats-prefix", subject, "tellnet", "what the names of all that is on NATS begin with"),
  natsReplicas: take("Keeping", "nats-replicas", integer(1, 5), "1", "NATS servers that keep each record"),
  natsCa: take("Keeping", "nats-ca", optional("none", file), "none", "certificates of NATS that are trusted (PEM)"),
  natsLogin: take("Keeping", "nats-login", optional("none", file), "none", "file with USER:PASSWORD for NATS"),
  natsNkey: take("Keeping", "nats-nkey", optional("none", file), "none", "file with the seed of an nkey for NATS"),
  nodeLease: take(
    "Keeping",
    "node-lease",
    duration(Duration.seconds(3)),
    "5s",
    "a node that is silent for so long is thought dead"
  ),
  maxOwned: take("Keeping", "max-owned", integer(0, 10_000_000), "100000", "names that have owners, at most"),
  nameTtl: take("Keeping", "name-ttl", days, "180d", "a name that its owner does not use is free again"),
  idleTimeout: take("Limits", "idle-timeout", duration(Duration.zero), "0", "silent users are kicked; 0: never"),
  maxLine: take("Limits", "max-line", integer(16, 1_048_576), "4096", "bytes in a line; longer ones are not sent"),
  rate: take("Limits", "rate", integer(0, 1_000_000), "20", "lines (of 256 B) a second of a connection; 0: any"),
  burst: take("Limits", "burst", integer(1, 1_000_000), "40", "lines at once before --rate holds"),
  ratePerIp: take("Limits", "rate-per-ip", integer(0, 1_000_000), "80", "the same of an IPv4 address or IPv6 /64"),
  backlog: take(
    "Limits",
    "backlog",
    integer(65_536, 1_073_741_824),
    "1048576",
    "bytes that wait for a slow reader; then lines skip"
  ),
  stallTimeout: take(
    "Limits",
    "stall-timeout",
    duration(Duration.seconds(1)),
    "30s",
    "a socket that takes nothing is closed"
  ),
  maxConnections: take("Limits", "max-connections", integer(1, 1_000_000), "10000", "open connections"),
  maxConnectionsPerIp: take(
    "Limits",
    "max-connections-per-ip",
    integer(1, 1_000_000),
    "100",
    "the same from one IP address"
  ),
  visitsPerIp: take(
    "Limits",
    "visits-per-ip",
    integer(0, 1_000_000),
    "60",
    "visits a minute of an address or /64; 0: any"
  ),
  visitsBurst: take(
    "Limits",
    "visits-burst",
    integer(1, 1_000_000),
    "200",
    "visits at once before --visits-per-ip holds"
  ),
  allow: take(
    "Limits",
    "allow",
    optional("none", networks),
    "none",
    "addresses let in whatever the visits, and while locked"
  ),
  shutdownGrace: take("Limits", "shutdown-grace", duration(Duration.zero), "5s", "time to write out what is queued"),
  metricsPort: take(
    "Watching",
    "metrics-port",
    optional("off", integer(0, 65_535)),
    "off",
    "HTTP: /metrics, /healthz, /readyz"
  ),
  metricsHost: take("Watching", "metrics-host", text, "127.0.0.1", "address of --metrics-port"),
  logFormat: take(
    "Watching",
    "log-format",
    oneOf("pretty", "logfmt", "json"),
    "pretty",
    "form of the log on standard output"
  ),
  logLevel: take("Watching", "log-level", logLevel, "info", "debug logs each connection, none nothing")
})

/** A value that a flag, or its variable, does not take. */
export class BadSetting extends Error {}

const read = <A>(name: string, kind: Kind<A>, text: string): A =>
  Option.getOrThrowWith(
    kind.read(text),
    () => new BadSetting(`--${name} (${envOf(name)}) must be ${kind.expects}, not ${JSON.stringify(text)}.`)
  )

const table: Array<Row> = []

/** What holds where nothing is given. */
export const defaults: Settings = settingsOf((group, name, kind, fallback, what) => {
  table.push({ group, name, fallback, what, placeholder: kind.placeholder })
  return read(name, kind, fallback)
})

/** Each flag with its default and what it is, as the README has it. */
export const rows: ReadonlyArray<Row> = table

/** Settings of the text that each flag is given; throws `BadSetting`. */
export const settings = (given: (name: string) => string | undefined): Settings =>
  settingsOf((_group, name, kind, fallback) => read(name, kind, given(name) ?? fallback))
