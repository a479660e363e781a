/** The doors that the configuration asks for, the plain one first. */
import * as Array from "effect/Array"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { ServerConfig } from "../ServerConfig.ts"
import * as Door from "./Door.ts"
import * as Handshake from "./Handshake.ts"
import * as TlsDoor from "./TlsDoor.ts"

export class Doors extends Context.Tag("tellnet/Doors")<Doors, ReadonlyArray<Door.Door>>() {
  static readonly layer = Layer.scoped(Doors, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const { noPlain, port, tlsPort, webPort, webTls } = yield* ServerConfig
  const handshake = yield* Handshake.make
  const plain = noPlain ? Option.none() : Option.some(Door.plain(yield* Door.listen(port, "--port")))
  const tls = Option.zipWith(tlsPort, handshake, TlsDoor.make)
  const web = Option.map(webPort, (port) =>
    // What serves browsers is loaded when it is asked for.
    Effect.flatMap(
      Effect.promise(() => import("./WebDoor.ts")),
      (WebDoor) => WebDoor.make(port, webTls ? handshake : Option.none())
    ))
  return Array.getSomes([plain, yield* Effect.transposeOption(tls), yield* Effect.transposeOption(web)])
})
