/** The secret that makes operators: the first line of `--op-secret-file`, read once. It is never logged or shown. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Crypto from "node:crypto"
import { trimmed } from "../domain/Text.ts"
import { ServerConfig } from "../ServerConfig.ts"

/** The file cannot be read, or holds no secret; the server does not start with it. */
export class BadOperatorSecret extends Data.TaggedError("BadOperatorSecret")<{
  readonly path: string
  readonly problem: string
}> {
  override get message() {
    return `--op-secret-file ${this.path}: ${this.problem}.`
  }
}

const [fewestBytes, mostBytes] = [16, 128]

/** Whether a text is the secret; how long it takes says nothing about that. */
export type Check = (text: string) => boolean

/** `undefined`: nobody can become an operator. */
export const read: Effect.Effect<Check | undefined, BadOperatorSecret, ServerConfig> = Effect.flatMap(
  ServerConfig,
  ({ opSecretFile }) =>
    Option.match(opSecretFile, {
      onNone: () => Effect.succeed(undefined),
      onSome: (path) =>
        Effect.gen(function*() {
          const bad = (problem: string) => new BadOperatorSecret({ path, problem })
          const files = yield* FileSystem.FileSystem
          const text = yield* Effect.mapError(
            files.readFileString(path),
            (error) => bad(error._tag === "SystemError" ? `it cannot be read (${error.reason})` : error.message)
          )
          const secret = trimmed(text.split(/\r?\n/, 1)[0] ?? "")
          const bytes = Buffer.byteLength(secret)
          if (bytes < fewestBytes || bytes > mostBytes) {
            return yield* bad(`its first line must have ${fewestBytes} to ${mostBytes} bytes`)
          }
          const hash = hashOf(secret)
          return (text: string) => Crypto.timingSafeEqual(hashOf(trimmed(text)), hash)
        }).pipe(Effect.provide(NodeFileSystem.layer))
    })
)

// So all are of one length.
const hashOf = (text: string): Buffer => Crypto.createHash("sha256").update(text).digest()
