/** A certificate for this machine, made by `openssl`, in a directory that is gone at the end of the scope. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import { start } from "./child.ts"

const openssl = (args: string) =>
  Effect.flatMap(start("openssl", args.split(" ")), ({ over }) => over).pipe(
    Effect.filterOrDieMessage(({ code }) => code === 0, `openssl ${args} failed`)
  )

const kinds = {
  EC: "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1",
  RSA: "-newkey rsa:2048"
}

export const make = (kind: keyof typeof kinds = "EC") =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const directory = yield* files.makeTempDirectoryScoped({ prefix: "tellnet-" })
    const cert = `${directory}/cert.pem`
    const key = `${directory}/key.pem`
    /** Writes both files anew, with a certificate for this name. */
    const issue = (name: string) =>
      openssl(`req -x509 ${kinds[kind]} -nodes -days 2 -subj /CN=${name} -keyout ${key} -out ${cert}`)
    yield* issue("first")
    return {
      cert,
      key,
      flags: ["--tls-port", "0", "--tls-cert", cert, "--tls-key", key],
      /** Another certificate and key in the same files. */
      renew: issue,
      /** Writes what is no certificate. */
      spoil: files.writeFileString(cert, "garbage")
    }
  }).pipe(Effect.provide(NodeFileSystem.layer), Effect.orDie)
