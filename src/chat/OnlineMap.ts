/** Who is online: the world as the log has made it so far. The broadcaster changes it, one step a turn; there is no lock. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as World from "../domain/World.ts"
import { MessageLog } from "../log/MessageLog.ts"

export class OnlineMap extends Context.Tag("tellnet/OnlineMap")<OnlineMap, Ref.Ref<World.World>>() {
  static readonly layer = Layer.effect(
    OnlineMap,
    Effect.flatMap(MessageLog, ({ start }) => Ref.make(World.empty(start)))
  )
}
