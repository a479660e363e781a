/** The doors that the configuration asks for, the plain one first. */
import * as Array from "effect/Array"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { ServerConfig } from "../ServerConfig.ts"
import * as Door from "./Door.ts"
import * as TlsDoor from "./TlsDoor.ts"

export class Doors extends Context.Tag("tellnet/Doors")<Doors, ReadonlyArray<Door.Door>>() {
  static readonly layer = Layer.scoped(Doors, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const { noPlain, port } = yield* ServerConfig
  const plain = noPlain ? Option.none() : Option.some(yield* Door.listen(port, "--port"))
  return Array.getSomes([plain, yield* TlsDoor.open])
})
