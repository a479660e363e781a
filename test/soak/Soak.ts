/** One run from the first connection to the server's exit code: fill, watch, empty, judge. */
import * as FileSystem from "@effect/platform/FileSystem"
import { Clock, Console, Data, Duration, Effect, Fiber, Option, Schedule, type Scope } from "effect"
import * as Ask from "./Ask.ts"
import * as BroadcastLog from "./BroadcastLog.ts"
import * as Client from "./Client.ts"
import type { Field } from "./Field.ts"
import * as Grammar from "./Grammar.ts"
import * as Population from "./Population.ts"
import * as Reader from "./Reader.ts"
import * as Report from "./Report.ts"
import * as Roster from "./Roster.ts"
import * as Samples from "./Samples.ts"
import * as ServerProcess from "./ServerProcess.ts"
import * as Tally from "./Tally.ts"
import * as Witness from "./Witness.ts"

export interface Plan {
  readonly minutes: number
  readonly clients: number
  readonly seed: number
  readonly entry: string
  readonly data: "file" | "none"
}

export class SoakFailed extends Data.TaggedError("SoakFailed")<{ readonly message: string }> {}

const maxLine = 1024
const idleSeconds = 20

/** Tight limits, so that a short run meets all of them. */
const flags = [
  "--port=0",
  "--max-connections=20000",
  "--max-connections-per-ip=2000",
  `--idle-timeout=${idleSeconds} seconds`,
  "--stall-timeout=5 seconds",
  "--backlog=262144",
  "--rate=20",
  "--rate-per-ip=0",
  "--visits-per-ip=0",
  "--welcome=off",
  "--replay=5",
  "--burst=40",
  `--max-line=${maxLine}`
]

/** Descriptors that may remain above the starting level, once all have left. */
const descriptorTolerance = 3
const keepers = 3

/** Waits until `look` says so; a fault if it never does. */
const expect = (field: Field, what: string, look: Effect.Effect<boolean, Error>) =>
  look.pipe(
    Effect.orElseSucceed(() => false),
    Effect.repeat({ until: (seen) => seen, schedule: Schedule.spaced("500 millis") }),
    Effect.timeoutOption("30 seconds"),
    Effect.map((seen) => {
      if (Option.isNone(seen)) field.tally.fault("server", what)
    })
  )

const keeper = (field: Field) =>
  Effect.gen(function*() {
    const visit = field.roster.arrive("keeper")
    const reader = Reader.make(visit, field)
    const client = yield* Client.connect(visit, field, reader, { reads: true })
    yield* client.say.pipe(Effect.repeat(Schedule.spaced("1 second")), Effect.forkScoped)
    return { client, reader }
  })

/** All but a few have left: is everything they held given back, does the server still serve, does it end well? */
const aftermath = (field: Field, server: ServerProcess.ServerProcess, before: ServerProcess.Vitals) =>
  Effect.gen(function*() {
    const { roster, tally } = field
    const kept = yield* Effect.replicateEffect(keeper(field), keepers)
    yield* expect(
      field,
      "`who` does not list exactly those who have stayed",
      Effect.map(Ask.online(field), (listed) => {
        const staying = roster.staying().map(({ address }) => address).toSorted()
        return listed.toSorted().join() === staying.join() && staying.length === keepers + 1
      })
    )
    yield* expect(
      field,
      `descriptors do not come back to ${before.descriptors}, ${keepers + 1} users and ${descriptorTolerance} more`,
      Effect.map(
        server.vitals,
        ({ descriptors }) => descriptors <= before.descriptors + keepers + 1 + descriptorTolerance
      )
    )
    yield* expect(
      field,
      "lines of those who stayed do not arrive",
      Effect.sync(() => kept.every(({ client: { visit } }) => visit.seen > 0 && visit.seen === visit.sent))
    )
    yield* expect(field, "readers hold lines that the witness never read", Effect.sync(() => field.ahead.size === 0))
    const after = yield* server.vitals
    yield* Console.log(
      `All but ${keepers + 1} have left: ${after.descriptors} descriptors (${before.descriptors} before the first), `
        + `${after.memory.toFixed(0)} MiB (${before.memory.toFixed(0)}).`
    )
    const [took, code] = yield* Effect.timed(server.stop)
    yield* Console.log(`SIGTERM: exit code ${code} after ${Duration.toSeconds(took).toFixed(1)} s.`)
    if (code !== 0) tally.fault("server", `exit code ${code} after SIGTERM`)
    for (const { reader } of kept) {
      if (!reader.notices.toldOfShutdown()) tally.fault("server", "a user was not told of the shutdown")
    }
  })

const watch = (plan: Plan, field: Field, server: ServerProcess.ServerProcess, samples: Samples.Samples) => {
  const seconds = Math.round(plan.minutes * 60)
  return Effect.gen(function*() {
    let before = yield* Clock.currentTimeMillis
    for (let second = 1; second <= seconds; second++) {
      yield* Effect.sleep("1 second")
      field.roster.sweep()
      const now = yield* Clock.currentTimeMillis
      const sample: Samples.Sample = {
        ...yield* server.vitals,
        second,
        online: field.roster.online(),
        ordered: field.log.end(),
        lag: now - before - 1000
      }
      before = now
      samples.add(sample)
      if (second % 10 === 0) yield* Console.log(Report.progress(sample, field.tally))
    }
  })
}

const judge = (plan: Plan, samples: Samples.Samples, server: ServerProcess.ServerProcess, tally: Tally.Tally) => {
  const { allowed, endless, thirds } = Samples.growth(samples.all())
  if (endless) tally.fault("server", `memory grows: ${thirds[0]} MiB, in the end ${thirds[2]}, allowed ${allowed}`)
  for (const line of server.errors()) tally.fault("server", `it logged: ${line}`)
  // A check that met nothing has shown nothing. Small or short runs do not fill a stalled reader's socket.
  if (plan.minutes < 2 || plan.clients < 200) return
  const met = [
    "kicked",
    "stalls",
    "resets",
    "skips",
    "tooLong",
    "refusals",
    "privates",
    "renames",
    "listed",
    "old"
  ] as const
  for (const event of met) {
    if (tally.of(event) === 0) tally.fault("server", `the run did not meet: ${Tally.events[event]}`)
  }
}

export const run = (
  plan: Plan
): Effect.Effect<void, Error, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function*() {
    const tally: Tally.Tally = Tally.make(Tally.faults)
    const grammar = Grammar.make(maxLine)
    const files = yield* FileSystem.FileSystem
    const folder = yield* files.makeTempDirectoryScoped({ prefix: "tellnet-soak-" })
    const data = plan.data === "none" ? "none" : `${folder}/tellnet.db`
    const server = yield* ServerProcess.start(plan.entry, [...flags, `--data=${data}`])
    const roster = Roster.make(tally)
    const field: Field = {
      port: server.port,
      maxLine,
      idleSeconds,
      tally,
      grammar,
      roster,
      log: BroadcastLog.make(),
      ahead: new Set(),
      addressees: new Set()
    }
    const before = yield* server.vitals
    const samples = Samples.make()
    yield* Witness.connect(field)
    grammar.learnHelp(yield* Ask.help(field))
    yield* Console.log(
      `${plan.minutes} minutes, ${plan.clients} clients, seed ${plan.seed}, server on port ${server.port}:\n`
        + `${plan.entry} ${flags.join(" ")} --data=${plan.data}`
    )
    yield* Effect.gen(function*() {
      const crowd = yield* Effect.fork(Population.run(plan.clients, plan.seed, field))
      yield* Effect.raceFirst(watch(plan, field, server, samples), server.died)
      yield* Fiber.interrupt(crowd)
      yield* aftermath(field, server, before)
    }).pipe(
      Effect.catchAll((error) => Effect.sync(() => tally.fault("server", error.message)))
    )
    judge(plan, samples, server, tally)
    yield* Console.log(Report.final(samples.all(), tally))
    if (tally.faulty()) return yield* new SoakFailed({ message: "the soak has found faults" })
  })
