/** `npm run soak -- --nodes 3`: several nodes on one nats-server, blow after blow, then peace, then the laws. */
import * as FileSystem from "@effect/platform/FileSystem"
import { Console, Data, Effect, Fiber, Schedule, Struct } from "effect"
import * as Report from "../Report.ts"
import * as Tally from "../Tally.ts"
import * as Blows from "./Blows.ts"
import type { Field } from "./Field.ts"
import * as History from "./History.ts"
import { type Event, events, type Fault, faults } from "./Laws.ts"
import * as Ledger from "./Ledger.ts"
import * as Letters from "./Letters.ts"
import * as NatsProcess from "./NatsProcess.ts"
import * as Node from "./Node.ts"
import * as Plan from "./Plan.ts"
import * as Program from "./Program.ts"

export interface Options {
  readonly nodes: number
  readonly minutes: number
  readonly clients: number
  readonly seed: number
  readonly entry: string
}

export class NodesSoakFailed extends Data.TaggedError("NodesSoakFailed")<{ readonly message: string }> {}

/** Whoever was cut off at the end has to come back, and the dead have to be missed, within this time. */
const peaceWithin = "60 seconds"

const everyTenSeconds = (field: Field, options: Options) => {
  let second = 0
  const line = Effect.suspend(() => {
    second += 10
    const wrong = Struct.keys(faults).filter((fault) => field.tally.of(fault) > 0)
    return Console.log(
      `${second} s: ${field.programs.filter(({ link }) => link() !== undefined).length} of ${options.clients} online, `
        + `${field.tally.of("said")} lines sent, ${field.tally.of("heard")} heard, ${
          field.tally.of("resumes")
        } returns, `
        + (wrong.length === 0
          ? "no faults"
          : `FAULTS: ${wrong.map((what) => `${what} ${field.tally.of(what)}`).join(", ")}`)
    )
  })
  return Effect.repeat(Effect.delay(line, "10 seconds"), Schedule.forever)
}

/** Why there is no peace yet. */
const unrest = ({ programs }: Field): string | undefined => {
  for (const { last, name } of programs) if (last() === undefined) return `${name} is not through`
  for (const one of programs) {
    const room = one.reading.room()
    const expected = programs.filter(({ reading }) => reading.room() === room)
      .map(({ called, link }) => `[${link()?.address}]${called()}`).toSorted().join(" ")
    const seen = one.presence()?.all()
    if (seen !== expected) return `${one.name} sees in #${room} ${seen}, and there are ${expected}`
  }
  return undefined
}

/** A law that was never put to the test has shown nothing; a short run does not meet all. */
const met = [
  "again",
  "past",
  "renames",
  "moves",
  "privates",
  "refusals",
  "takenOver",
  "impatient",
  "cutOffs",
  "buried"
] as const

const judge = (field: Field, minutes: number) =>
  Effect.gen(function*() {
    const { ledger, programs, tally } = field
    const restless = yield* Effect.sync(() => unrest(field)).pipe(
      Effect.repeat({ until: (why) => why === undefined, schedule: Schedule.spaced("500 millis") }),
      Effect.timeoutOption(peaceWithin)
    )
    if (restless._tag === "None") tally.fault("presence", `no peace after ${peaceWithin}: ${unrest(field)}`)
    for (const { isCutOff, name } of programs) {
      if (isCutOff()) tally.fault("reach", `${name} was never told that it is no longer cut off`)
    }
    ledger.judge()
    for (const { last, reading } of programs) reading.judge(last() ?? 0)
    yield* History.judge(field)
    if (minutes < 3) return
    for (const event of met) if (tally.of(event) === 0) tally.fault("server", `the run did not meet: ${events[event]}`)
  })

export const run = (options: Options) =>
  Effect.gen(function*() {
    const tally = Tally.make<Event, Fault>(faults)
    const folder = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped({ prefix: "tellnet-soak-" })
    const plan = Plan.make(options.seed, Math.round(options.minutes * 60), options.nodes)
    const nats = yield* NatsProcess.start(folder)
    const nodes = yield* Effect.forEach(
      Array.from({ length: options.nodes }, (_, index) => index + 1),
      (number) => Node.make(number, nats.port, options.entry, tally)
    )
    yield* Console.log(
      `${options.minutes} minutes, ${options.nodes} nodes, ${options.clients} programs, seed ${options.seed}, `
        + `NATS on port ${nats.port}:\n${plan.map((blow) => `  ${Plan.words(blow)}`).join("\n")}`
    )
    yield* Effect.forEach(nodes, ({ start }) => start, { concurrency: "unbounded" })
    let isOver = false
    const ledger = Ledger.make(tally)
    const calm = Blows.makeCalm()
    const field: Field = {
      calm: calm.ms,
      tally,
      ledger,
      letters: Letters.make(ledger, tally),
      nodes,
      programs: [],
      isOver: () => isOver
    }
    for (let number = 0; number < options.clients; number++) {
      const program = number < options.nodes
        ? Program.make(`observer${number + 1}`, Program.observer(number), options.seed, field)
        : Program.make(`p${number}`, Program.talker(number), options.seed, field)
      field.programs.push(program)
    }
    const crowd = yield* Effect.fork(
      Effect.forEach(field.programs, ({ run }) => run, { concurrency: "unbounded", discard: true })
    )
    const progress = yield* Effect.fork(everyTenSeconds(field, options))
    yield* Blows.run(plan, Math.round(options.minutes * 60), { nodes, nats, tally, calm })
    isOver = true
    yield* judge(field, options.minutes)
    yield* Fiber.interruptAll([crowd, progress])
    yield* Effect.forEach(nodes, ({ stop }) => stop, { concurrency: "unbounded" })
    yield* Console.log(`\nSeed ${options.seed}.\n\n${Report.verdict(events, faults, tally)}`)
    if (tally.faulty()) return yield* new NodesSoakFailed({ message: "the soak has found faults" })
  })
