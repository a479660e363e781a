/** Who is online: the world as the log has made it so far. The broadcaster changes it, one step a turn; there is no lock. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import { nameKey } from "../domain/Name.ts"
import * as World from "../domain/World.ts"
import { MessageLog } from "../log/MessageLog.ts"
import * as KeptRules from "./KeptRules.ts"
import { Records } from "./Records.ts"

export class OnlineMap extends Context.Tag("tellnet/OnlineMap")<OnlineMap, Ref.Ref<World.World>>() {
  static readonly layer = Layer.effect(
    OnlineMap,
    Effect.gen(function*() {
      const { start } = yield* MessageLog
      if ("world" in start) return yield* Ref.make(start.world)
      const records = yield* Records
      const owners = yield* records.owners.list()
      const owned = owners.map(({ value }) => nameKey(value.name))
      const rules = yield* KeptRules.load(records, new Set(owned))
      return yield* Ref.make(World.empty(start.seq, owned, start.nonces, start.gone, rules))
    })
  )
}
