/** The log and the registry of several nodes, on NATS JetStream. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { randomBytes } from "node:crypto"
import { nextTurn } from "../domain/nextTurn.ts"
import { Stats } from "../ops/Stats.ts"
import { LastLines, readingOf } from "./LastLines.ts"
import * as Member from "./Member.ts"
import { CannotOpen, LogLost, MessageLog } from "./MessageLog.ts"
import * as NatsAccess from "./NatsAccess.ts"
import * as NatsLink from "./NatsLink.ts"
import * as NatsRegistry from "./NatsRegistry.ts"
import { OtherNodes } from "./OtherNodes.ts"
import * as Codec from "./RecordCodec.ts"
import { Registry } from "./Registry.ts"

/** So many of the last lines each node remembers, if they take no more bytes than this. */
const rememberedLines = 100_000
const rememberedBytes = 64 * 1_048_576

export interface Options extends Omit<NatsLink.Options, "access">, NatsAccess.Options {
  /** A node that gives no sign of life for so many ms is buried. */
  readonly lease: number
}

const make = (options: Options) =>
  Effect.gen(function*() {
    const stats = yield* Stats
    const { bringInLine, closed, js, shared } = yield* NatsLink.make({
      ...options,
      access: yield* NatsAccess.make(options)
    })
    const lines = new LastLines(rememberedLines, rememberedBytes)
    const unusable = ({ why }: { readonly why: string }) =>
      new CannotOpen({ message: `NATS at ${options.servers.join(",")} cannot be used: ${why}` })
    const bucket = yield* Effect.mapError(
      Effect.tap(
        NatsRegistry.open(js, `${options.prefix}_registry`, options.replicas),
        ({ stream }) => bringInLine(stream)
      ),
      unusable
    )
    const member = yield* Effect.mapError(
      Member.make(shared, stats, {
        lease: options.lease,
        newId: () => randomBytes(8).toString("hex"),
        lines
      }),
      unusable
    ).pipe(Effect.retry(Schedule.spaced("300 millis").pipe(Schedule.upTo("10 seconds"))))
    return Context.make(MessageLog, {
      ...readingOf(lines),
      ...member,
      // Who answers at once to what was told gets into the next record.
      append: (events) => Effect.zipLeft(member.append(events), nextTurn),
      recordBytes: Codec.recordBytes,
      running: Effect.raceFirst(
        member.running,
        Effect.flatMap(closed, (why) => new LogLost({ message: `NATS closed the connection: ${why}` }))
      )
    }).pipe(
      Context.add(Registry, NatsRegistry.make(bucket)),
      Context.add(OtherNodes, member)
    )
  })

export const layer = (options: Options): Layer.Layer<MessageLog | Registry | OtherNodes, CannotOpen, Stats> =>
  Layer.scopedContext(make(options))
