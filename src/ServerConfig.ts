/** Every setting of a server. `Flags` fills it from the command line and the environment; tests fill it as they like. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as LogLevel from "effect/LogLevel"
import type * as Option from "effect/Option"
import type { Networks } from "./domain/Networks.ts"

export interface Settings {
  /** The address to listen on. */
  readonly host: string
  /** The TCP port of the plain door; 0 for any that is free. */
  readonly port: number
  /** There is no plain door. Needs `tlsPort` or `webPort`. */
  readonly noPlain: boolean
  /** The TCP port of the TLS door; 0 for any that is free. Needs `tlsCert` and `tlsKey`. */
  readonly tlsPort: Option.Option<number>
  /** The path of the certificate, and those between it and the root, in PEM form. */
  readonly tlsCert: Option.Option<string>
  /** The path of the private key of the certificate, in PEM form. */
  readonly tlsKey: Option.Option<string>
  /** The TCP port of the door for browsers: HTTP with the page, and a WebSocket; 0 for any that is free. */
  readonly webPort: Option.Option<number>
  /** The door for browsers speaks TLS. Needs `tlsCert` and `tlsKey`. */
  readonly webTls: boolean
  /** By which names browsers may reach it, beside IP addresses and `localhost`: others may be pointed here by anybody. */
  readonly webHost: ReadonlyArray<string>
  /** Pages of which other places may talk: origins such as `https://chat.example.org`. */
  readonly webOrigin: ReadonlyArray<string>
  /** The HTTP proxies in front of that door, which are believed whom they speak for. */
  readonly webProxy: Option.Option<Networks>
  /** The proxies whose connections begin with a header of the PROXY protocol, on all doors; nobody else is asked for one. */
  readonly proxyProtocol: Option.Option<Networks>
  /** The language in which the server speaks to its users. */
  readonly lang: "zh" | "en"
  /** What a newcomer reads behind its own arrival. */
  readonly welcome: "on" | "off" | { readonly text: string }
  /** How many of the last lines a newcomer is told. */
  readonly replay: number
  /** Whether others see where a user comes from, or only who comes from the same network. */
  readonly addresses: "shown" | "hidden"
  /** The path of a file whose first line makes whoever knows it an operator; without it nobody is. */
  readonly opSecretFile: Option.Option<string>
  /** That line may come readable, from other machines too. Needs `opSecretFile`. */
  readonly opPlain: boolean
  /** The file in which what is said is kept; `none`: the last lines are kept in memory only. */
  readonly data: "none" | { readonly file: string }
  /** Each commit waits until the disk has it. */
  readonly dataSync: boolean
  /** How many said lines the file keeps; the newest 1000 of a room are kept beyond that. */
  readonly keepLines: number
  /** For how many days the file keeps a line. */
  readonly keepDays: number
  /** How many bytes the file may use; this limit comes before all others. */
  readonly keepBytes: number
  /** The servers of NATS on which this process is one of several nodes, in place of a file; none: it is alone. */
  readonly nats: ReadonlyArray<string>
  /** What the names of all subjects, streams and buckets begin with there. */
  readonly natsPrefix: string
  /** On how many servers of NATS each record is. */
  readonly natsReplicas: number
  /** The path of the certificates that are trusted there, in PEM form. */
  readonly natsCa: Option.Option<string>
  /** The path of a file with `USER:PASSWORD`. */
  readonly natsLogin: Option.Option<string>
  /** The path of a file with the seed of an nkey. */
  readonly natsNkey: Option.Option<string>
  /** A node that gives no sign of life for so long is thought dead. */
  readonly nodeLease: Duration.Duration
  /** How many names may have owners. */
  readonly maxOwned: number
  /** For how long a name that its owner does not use stays its own. */
  readonly nameTtl: Duration.Duration
  /** A user who sends no line for so long is kicked, and warned before; 0 for never. */
  readonly idleTimeout: Duration.Duration
  /** How many bytes a line may have before its line break; a longer one is not sent. */
  readonly maxLine: number
  /** How many lines a second one connection may send; 0 for any number. A line is counted once for each 256 bytes of it. */
  readonly rate: number
  /** How many lines one connection may send at once before `rate` holds. */
  readonly burst: number
  /** The same as `rate` for all connections of one IPv4 address, or of one IPv6 /64, together. */
  readonly ratePerIp: number
  /** How many bytes may wait for one user, entries included, before lines are skipped for it. */
  readonly backlog: number
  /** A user whose socket takes nothing for so long, while lines wait, is disconnected. */
  readonly stallTimeout: Duration.Duration
  /** How many connections may be open. */
  readonly maxConnections: number
  /** How many connections may be open from one IP address. */
  readonly maxConnectionsPerIp: number
  /** How many connections a minute may come from one IPv4 address, or one IPv6 /64; 0 for any number. */
  readonly visitsPerIp: number
  /** How many of them may come at once before `visitsPerIp` holds. */
  readonly visitsBurst: number
  /** Addresses that come in whatever the visits, and while the server is locked; never past a ban or the caps. */
  readonly allow: Option.Option<Networks>
  /** After so long a silence TCP asks whether the peer is still there. */
  readonly keepAlive: Duration.Duration
  /** How long a stopping server goes on writing out what is queued. */
  readonly shutdownGrace: Duration.Duration
  /** The TCP port for metrics and health over HTTP; 0 for any that is free. */
  readonly metricsPort: Option.Option<number>
  /** The address of `metricsPort`. */
  readonly metricsHost: string
  /** The form of the log on standard output. */
  readonly logFormat: "pretty" | "logfmt" | "json"
  /** What is less than this is not logged. */
  readonly logLevel: LogLevel.LogLevel
}

/** Settings that are good each for itself, but not together. */
export class SettingsDisagree extends Data.TaggedError("SettingsDisagree")<{ readonly message: string }> {}

// A record of a line must fit into a message of NATS.
const longestShared = 65_536

// What holds where nothing is given is no wish.
export const usualFile = "tellnet.db"

// What stands before the words of a line, and what an entry of a channel costs.
const besideLine = 1024

const disagreement = (settings: Settings): string | undefined => {
  const { backlog, data, maxLine, nats, natsCa, natsLogin, natsNkey, natsReplicas } = settings
  // A private line may take a quarter of what may wait.
  const least = 4 * (maxLine + besideLine)
  if (backlog < least) return `--max-line ${maxLine} needs a --backlog of ${least} at least.`
  if (nats.length > 0 && maxLine > longestShared) return `--nats needs a --max-line of ${longestShared} at most.`
  if (nats.length > 0 && typeof data === "object" && data.file !== usualFile) {
    return "--nats and --data exclude each other."
  }
  if (nats.length === 0 && natsReplicas > 1) return "--nats-replicas needs --nats."
  if (nats.length === 0 && natsCa._tag === "Some") return "--nats-ca needs --nats."
  if (nats.length === 0 && natsLogin._tag === "Some") return "--nats-login needs --nats."
  if (nats.length === 0 && natsNkey._tag === "Some") return "--nats-nkey needs --nats."
  if (settings.opPlain && settings.opSecretFile._tag === "None") return "--op-plain needs --op-secret-file."
  if (natsLogin._tag === "Some" && natsNkey._tag === "Some") return "--nats-login and --nats-nkey exclude each other."
  return disagreementOfDoors(settings)
}

const disagreementOfDoors = (settings: Settings): string | undefined => {
  const { noPlain, tlsCert, tlsKey, tlsPort, webHost, webOrigin, webPort, webProxy, webTls } = settings
  const web = webPort._tag === "Some"
  if (!web && webTls) return "--web-tls needs --web-port."
  if (!web && webHost.length > 0) return "--web-host needs --web-port."
  if (!web && webOrigin.length > 0) return "--web-origin needs --web-port."
  if (!web && webProxy._tag === "Some") return "--web-proxy needs --web-port."
  const secured = tlsPort._tag === "Some" ? "--tls-port" : webTls ? "--web-tls" : undefined
  if (secured && tlsCert._tag === "None") return `${secured} needs --tls-cert.`
  if (secured && tlsKey._tag === "None") return `${secured} needs --tls-key.`
  if (!secured && tlsCert._tag === "Some") return "--tls-cert needs --tls-port or --web-tls."
  if (!secured && tlsKey._tag === "Some") return "--tls-key needs --tls-port or --web-tls."
  return noPlain && tlsPort._tag === "None" && !web ? "--no-plain needs --tls-port or --web-port." : undefined
}

/** The settings that a server runs with. */
export class ServerConfig extends Context.Tag("tellnet/ServerConfig")<ServerConfig, Settings>() {
  static readonly layer = (settings: Settings): Layer.Layer<ServerConfig, SettingsDisagree> =>
    Layer.effect(
      ServerConfig,
      Effect.suspend(() => {
        const message = disagreement(settings)
        return message === undefined ? Effect.succeed(settings) : new SettingsDisagree({ message })
      })
    )
}
