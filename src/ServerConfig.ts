/**
 * Every setting and every limit: its flag, its default, its unit, and what happens when it is met. A flag that is not
 * given is read from the environment: `--max-line` from `TELLNET_MAX_LINE`.
 */
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/** How the text of a flag is read. */
interface Kind<A> {
  readonly placeholder: string
  /** Completes the sentence "--flag must be …". */
  readonly expects: string
  readonly read: (text: string) => Option.Option<A>
}

const envOf = (name: string) => `TELLNET_${name.replaceAll("-", "_").toUpperCase()}`

const flag = <A>(name: string, kind: Kind<A>, fallback: string, description: string): Options.Options<A> => {
  const env = envOf(name)
  return Options.text(name).pipe(
    Options.withPseudoName(kind.placeholder),
    Options.withDescription(`${description} Default: ${fallback}. Environment: ${env}.`),
    Options.withFallbackConfig(Config.string(env)),
    Options.withDefault(fallback),
    Options.mapEffect((given) =>
      Effect.mapError(kind.read(given), () =>
        ValidationError.invalidValue(
          HelpDoc.p(`--${name} (${env}) must be ${kind.expects}, not ${JSON.stringify(given)}.`)
        ))
    )
  )
}

/** A flag without a value: given or not. */
const toggle = (name: string, description: string): Options.Options<boolean> => {
  const env = envOf(name)
  return Options.boolean(name).pipe(
    Options.withDescription(`${description} Environment: ${env}=true.`),
    Options.mapEffect((given) =>
      given ?
        Effect.succeed(true) :
        Effect.mapError(Config.withDefault(Config.boolean(env), false), () =>
          ValidationError.invalidValue(HelpDoc.p(`${env} must be true or false.`)))
    )
  )
}

const integer = (min: number, max: number): Kind<number> => ({
  placeholder: "N",
  expects: `a whole number from ${min} to ${max}`,
  read: Schema.decodeOption(Schema.NumberFromString.pipe(Schema.int(), Schema.between(min, max)))
})

const oneOf = <const A extends ReadonlyArray<string>>(...values: A): Kind<A[number]> => ({
  placeholder: values.join("|"),
  expects: values.join(" or "),
  read: Schema.decodeUnknownOption(Schema.Literal(...values))
})

const text: Kind<string> = {
  placeholder: "TEXT",
  expects: "a text that is not empty",
  read: Schema.decodeOption(Schema.NonEmptyTrimmedString)
}

/** What is not there unless it is given. */
const optional = <A>(absent: string, kind: Kind<A>): Kind<Option.Option<A>> => ({
  placeholder: kind.placeholder,
  expects: `${kind.expects}, or ${absent}`,
  read: (text) => text === absent ? Option.some(Option.none()) : Option.map(kind.read(text), Option.some)
})

// A timer of Node counts 2^31 ms at most.
const longest = Duration.days(24)
const duration = (min: Duration.DurationInput): Kind<Duration.Duration> => ({
  placeholder: "DURATION",
  expects: `a duration such as "90 seconds" or "5 minutes", from ${Duration.format(Duration.decode(min))} to 24 days`,
  read: (text) =>
    Option.filter(
      Duration.decodeUnknown(text === "0" ? 0 : text),
      Duration.between({ minimum: Duration.decode(min), maximum: longest })
    )
})

/** All settings as flags, in the order in which help lists them; README's table holds the same rows. */
export const options = {
  host: flag("host", text, "127.0.0.1", "The address to listen on; 0.0.0.0 or :: for all of this machine."),
  port: flag("port", integer(0, 65535), "8888", "The TCP port to listen on; 0 for any that is free."),
  noPlain: toggle("no-plain", "Turns the port without TLS off."),
  tlsPort: flag(
    "tls-port",
    optional("off", integer(0, 65535)),
    "off",
    "The TCP port to listen on with TLS (1.2 and up); 0 for any that is free."
  ),
  tlsCert: flag(
    "tls-cert",
    optional("none", text),
    "none",
    "The file with the certificate, and those between it and the root, in PEM form; read again on SIGHUP."
  ),
  tlsKey: flag(
    "tls-key",
    optional("none", text),
    "none",
    "The file with the private key of the certificate, in PEM form; read again on SIGHUP."
  ),
  lang: flag("lang", oneOf("zh", "en"), "zh", "The language in which the server speaks to its users."),
  idleTimeout: flag(
    "idle-timeout",
    duration(0),
    "0",
    "A user who sends no line for so long is kicked, and warned before; 0 for never."
  ),
  maxLine: flag(
    "max-line",
    integer(16, 1_048_576),
    "4096",
    "How many bytes a line may have; a longer one is not sent, its sender is told."
  ),
  rate: flag(
    "rate",
    integer(0, 1_000_000),
    "20",
    "How many lines a second a connection may send; over it, the connection is read no faster. 0 for any number."
  ),
  ratePerIp: flag("rate-per-ip", integer(0, 1_000_000), "80", "x"),
  welcome: flag("welcome", oneOf("on", "off"), "on", "x"),
  burst: flag(
    "burst",
    integer(1, 1_000_000),
    "40",
    "How many lines a connection may send at once before --rate holds."
  ),
  backlog: flag(
    "backlog",
    integer(65_536, 1_073_741_824),
    "1048576",
    "How many bytes may wait for a user who reads slowly; further lines are skipped for this user, who is told how many."
  ),
  stallTimeout: flag(
    "stall-timeout",
    duration("1 second"),
    "30 seconds",
    "A user whose socket takes nothing for so long, while lines wait, is disconnected."
  ),
  maxConnections: flag(
    "max-connections",
    integer(1, 1_000_000),
    "10000",
    "How many connections may be open; a newcomer is told that the server is full."
  ),
  maxConnectionsPerIp: flag(
    "max-connections-per-ip",
    integer(1, 1_000_000),
    "100",
    "How many connections may be open from one IP address; a newcomer is told."
  ),
  keepAlive: flag(
    "keep-alive",
    duration("1 second"),
    "60 seconds",
    "After so long a silence TCP asks whether the peer is still there; one that is not is gone."
  ),
  shutdownGrace: flag(
    "shutdown-grace",
    duration(0),
    "5 seconds",
    "How long a stopping server goes on writing out what is queued."
  ),
  metricsPort: flag(
    "metrics-port",
    optional("off", integer(0, 65535)),
    "off",
    "The TCP port for /metrics, /healthz and /readyz over HTTP; 0 for any that is free."
  ),
  metricsHost: flag("metrics-host", text, "127.0.0.1", "The address of --metrics-port."),
  logFormat: flag("log-format", oneOf("pretty", "logfmt", "json"), "pretty", "The form of the log on standard output.")
}

type Values<Record> = {
  readonly [Key in keyof Record]: Record[Key] extends Options.Options<infer Value> ? Value : never
}

/** Flags that are good each for itself, but not together. */
export class FlagsDisagree extends Data.TaggedError("FlagsDisagree")<{ readonly message: string }> {}

const agreed = (config: Values<typeof options>): Effect.Effect<Values<typeof options>, FlagsDisagree> => {
  const tls = Option.isSome(config.tlsPort)
  if (tls && Option.isNone(config.tlsCert)) return new FlagsDisagree({ message: "--tls-port needs --tls-cert." })
  if (tls && Option.isNone(config.tlsKey)) return new FlagsDisagree({ message: "--tls-port needs --tls-key." })
  if (!tls && Option.isSome(config.tlsCert)) return new FlagsDisagree({ message: "--tls-cert needs --tls-port." })
  if (!tls && Option.isSome(config.tlsKey)) return new FlagsDisagree({ message: "--tls-key needs --tls-port." })
  if (!tls && config.noPlain) return new FlagsDisagree({ message: "--no-plain needs --tls-port." })
  return Effect.succeed(config)
}

/** The settings that a server runs with. */
export class ServerConfig extends Context.Tag("tellnet/ServerConfig")<
  ServerConfig,
  Values<typeof options>
>() {
  static readonly layer = (config: typeof ServerConfig.Service) => Layer.effect(ServerConfig, agreed(config))
}
