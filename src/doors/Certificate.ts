/** The certificate and the private key that TLS needs, from two PEM files. Knows no socket. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Crypto from "node:crypto"
import * as Tls from "node:tls"

export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** A file is missing, unreadable or not what it should be. The message names the flag. */
export class BadCertificate extends Data.TaggedError("BadCertificate")<{
  readonly flag: "--tls-cert" | "--tls-key"
  readonly path: string
  readonly problem: string
}> {
  override get message() {
    return `${this.flag} ${this.path}: ${this.problem}.`
  }
}

/** Reads both files, and makes sure that each is what its flag says and that they belong together. */
export const read = (
  certPath: string,
  keyPath: string
): Effect.Effect<Certificate, BadCertificate, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const badCert = (problem: string) => new BadCertificate({ flag: "--tls-cert", path: certPath, problem })
    const badKey = (problem: string) => new BadCertificate({ flag: "--tls-key", path: keyPath, problem })
    const cert = yield* Effect.mapError(textOf(certPath), badCert)
    const key = yield* Effect.mapError(textOf(keyPath), badKey)
    const certificate = yield* Effect.try({
      try: () => new Crypto.X509Certificate(cert),
      catch: () => badCert("not a certificate in PEM form")
    })
    const privateKey = yield* Effect.try({
      try: () => Crypto.createPrivateKey(key),
      catch: () => badKey("not a private key in PEM form, or one with a passphrase")
    })
    if (!certificate.checkPrivateKey(privateKey)) return yield* badKey("not the key of the certificate in --tls-cert")
    // What OpenSSL itself finds wrong, such as a key that is too short.
    yield* Effect.try({
      try: () => Tls.createSecureContext({ cert, key }),
      catch: (cause) => badCert(cause instanceof Error ? cause.message : String(cause))
    })
    return { cert, key }
  })

const textOf = (path: string) =>
  Effect.flatMap(FileSystem.FileSystem, (files) => files.readFileString(path)).pipe(
    Effect.mapError((error) =>
      error._tag === "SystemError" ? problems[error.reason] ?? `cannot be read (${error.reason})` : error.message
    )
  )

const problems: Record<string, string> = {
  NotFound: "no such file",
  PermissionDenied: "this user may not read it",
  BadResource: "not a file"
}
