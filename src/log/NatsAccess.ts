/** Whom a node trusts at NATS, and who it is there, as the flags and their files say. Files are read once. */
import {
  nkeyAuthenticator,
  nkeys,
  type NodeConnectionOptions,
  usernamePasswordAuthenticator
} from "@nats-io/transport-node"
import * as Effect from "effect/Effect"
import { X509Certificate } from "node:crypto"
import { readFileSync } from "node:fs"
import { checkServerIdentity, type PeerCertificate } from "node:tls"
import { CannotOpen } from "./MessageLog.ts"

export interface Options {
  readonly servers: ReadonlyArray<string>
  /** Files: the certificates that are trusted (PEM); `USER:PASSWORD`; the seed of an nkey. */
  readonly ca: string | undefined
  readonly login: string | undefined
  readonly nkey: string | undefined
}

export type Access = Pick<NodeConnectionOptions, "tls" | "authenticator">

const loginForm = /^([^:]+):(.+)$/

export const make = ({ ca, login, nkey, servers }: Options): Effect.Effect<Access, CannotOpen> =>
  Effect.gen(function*() {
    const trusted = ca === undefined
      ? undefined
      : { ca: yield* read(ca, "certificates (PEM)", (text) => new X509Certificate(text)) }
    // Else a server that offers no TLS, or whoever stands in its place, is told the password as it is.
    const isTls = trusted !== undefined || servers.some((url) => url.startsWith("tls:"))
    const access = isTls ? { tls: { ...trusted, checkServerIdentity: identityOf(servers) } } : {}
    if (nkey !== undefined) {
      const seed = yield* read(nkey, "the seed of an nkey", (text) => nkeys.fromSeed(Buffer.from(text)))
      return { ...access, authenticator: nkeyAuthenticator(Buffer.from(seed)) }
    }
    if (login === undefined) return access
    const [, user, password] = loginForm.exec(yield* read(login, "USER:PASSWORD", (text) => loginForm.test(text))) ?? []
    return { ...access, authenticator: usernamePasswordAuthenticator(user ?? "", password) }
  })

/** What a file holds. What is wrong with it is not told: it may be a secret. */
const read = (file: string, what: string, isGood: (text: string) => unknown): Effect.Effect<string, CannotOpen> =>
  Effect.gen(function*() {
    const text = yield* Effect.try({
      try: () => readFileSync(file, "utf8").trim(),
      catch: (error) =>
        new CannotOpen({ message: `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}` })
    })
    const good = yield* Effect.orElseSucceed(Effect.try(() => isGood(text)), () => false)
    return good === false ? yield* new CannotOpen({ message: `${file} must hold ${what}` }) : text
  })

/** A certificate must be for one of the servers. The client looks for `localhost` in it, wherever an IP address is given. */
const identityOf = (servers: ReadonlyArray<string>) => (_host: string, certificate: PeerCertificate) => {
  const wrong = servers.map((url) => checkServerIdentity(hostOf(url), certificate))
  return wrong.includes(undefined) ? undefined : wrong[0]
}

const hostOf = (url: string) => url.replace(/^\w+:\/\/\[?/, "").replace(/\]?:\d+$/, "")
