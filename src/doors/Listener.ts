/** The plain door: `--port`, which `--no-plain` turns off. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { ServerConfig } from "../ServerConfig.ts"
import * as Door from "./Door.ts"

export class Listener extends Context.Tag("tellnet/Listener")<Listener, Option.Option<Door.Door>>() {
  static readonly layer = Layer.scoped(
    Listener,
    Effect.flatMap(
      ServerConfig,
      ({ noPlain, port }) => noPlain ? Effect.succeedNone : Effect.asSome(Door.listen(port, "--port"))
    )
  )
}
