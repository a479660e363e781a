/** All of the chat but its doors: what sessions run in, on an engine of the log. */
import * as Layer from "effect/Layer"
import { Addresses } from "../../src/chat/Addresses.ts"
import { Broadcaster } from "../../src/chat/Broadcaster.ts"
import { LastSeen } from "../../src/chat/LastSeen.ts"
import { Mailbox } from "../../src/chat/Mailbox.ts"
import { OnlineMap } from "../../src/chat/OnlineMap.ts"
import { OwnedNames } from "../../src/chat/OwnedNames.ts"
import { RealAddresses } from "../../src/chat/RealAddresses.ts"
import { Records } from "../../src/chat/Records.ts"
import * as MemoryLog from "../../src/log/MemoryLog.ts"
import type { CannotOpen, MessageLog } from "../../src/log/MessageLog.ts"
import { OtherNodes } from "../../src/log/OtherNodes.ts"
import type { Registry } from "../../src/log/Registry.ts"
import { Stats } from "../../src/ops/Stats.ts"
import type { Settings } from "../../src/ServerConfig.ts"
import { JsonForm } from "../../src/wire/JsonForm.ts"
import { PlainForm } from "../../src/wire/PlainForm.ts"
import { config } from "./server.ts"

/** `broadcaster`: in the place of the real one. */
export const chat = (options: {
  readonly settings?: Partial<Settings>
  readonly engine?: Layer.Layer<MessageLog | Registry, CannotOpen>
  readonly broadcaster?: typeof Broadcaster.layer
} = {}) =>
  Layer.mergeAll(OwnedNames.layer, LastSeen.layer, RealAddresses.layer).pipe(
    Layer.provideMerge(Layer.mergeAll(options.broadcaster ?? Broadcaster.layer, JsonForm.layer)),
    Layer.provideMerge(Layer.mergeAll(OnlineMap.layer, Mailbox.layer, Addresses.layer, PlainForm.layer)),
    Layer.provideMerge(Records.layer),
    Layer.provideMerge(Layer.mergeAll(options.engine ?? MemoryLog.layer, OtherNodes.none, Stats.layer)),
    Layer.provideMerge(config(options.settings)),
    // None of it fails here.
    Layer.orDie
  )
