/** Runs steps: a fresh server and a fresh loader for each, so that none inherits another's heap or buffers. */
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { connect } from "node:net"
import { ChildFailed, pinned, runToEnd } from "./ChildProcess.ts"
import { Answer, argumentsOf, type Figures } from "./Job.ts"
import { type Options, startsOf, type Step, stepsOf } from "./Plan.ts"
import { median } from "./Results.ts"
import { startLikeUsers, startServer } from "./Servers.ts"

export interface Entry {
  readonly step: Step
  readonly round: number
  readonly answer: Answer
}

/** The cores of the server and of its loader. */
const serverCore = 0
const loaderCore = 1

/** All rounds of all steps. The order turns round in every second round: nobody is always first on a cold machine. */
export const runAll = (options: Options) =>
  Effect.gen(function*() {
    yield* compileLoader
    const steps = stepsOf(options)
    const entries: Array<Entry> = []
    for (let round = 0; round < options.repeat; round++) {
      for (const [index, step] of (round % 2 === 0 ? steps : steps.toReversed()).entries()) {
        const place = `[${round * steps.length + index + 1}/${options.repeat * steps.length}]`
        const answer = yield* runStep(step, options)
        entries.push({ step, round, answer })
        yield* Console.log(`${place} ${step.row} ${step.server} ${step.users}: ${inShort(answer)}`)
      }
    }
    return entries
  })

/** One step; never fails, but answers with what went wrong. Nothing takes longer than two minutes. */
const runStep = (step: Step, { baseline, quick }: Options) =>
  (step.load === undefined ? measureStart(startsOf(quick)) : measureLoad(step, step.load, baseline)).pipe(
    Effect.scoped,
    Effect.timeoutFail({
      duration: "2 minutes",
      onTimeout: () => new ChildFailed({ program: step.server, reason: "not done within 2 minutes" })
    }),
    Effect.catchAll((error) => Effect.succeed(failed(error.message)))
  )

const measureLoad = (step: Step, load: NonNullable<Step["load"]>, baseline: string | undefined) =>
  Effect.gen(function*() {
    const { isPinned, server, users, warmUp, window } = step
    const started = yield* startServer(server, load, isPinned ? serverCore : undefined, baseline)
    const job = { server, ...started, users, load, warmUp, window }
    const [program = "", ...args] = yield* pinned(isPinned ? loaderCore : undefined, [loader, ...argumentsOf(job)])
    const printed = yield* runToEnd(program, args)
    return yield* decodeAnswer(printed).pipe(
      Effect.mapError(() => new ChildFailed({ program: "loader", reason: printed }))
    )
  })

const loader = "node_modules/.cache/tellnet-loader"

/** The loader is in C, so that it is no limit to what it measures. */
const compileLoader = Effect.scoped(
  runToEnd("sh", [
    "-c",
    `mkdir -p node_modules/.cache && cc -O2 -o ${loader} test/bench/loader/loader.c && echo compiled`
  ])
).pipe(
  Effect.filterOrFail(
    (printed) => printed === "compiled",
    (printed) =>
      new ChildFailed({ program: "cc (a C compiler, as Debian has it in gcc and libc6-dev)", reason: printed })
  )
)

const decodeAnswer = Schema.decode(Schema.parseJson(Answer))

const measureStart = (starts: number) =>
  Effect.gen(function*() {
    const times: Array<number> = []
    for (let i = 0; i < starts; i++) {
      const [time] = yield* Effect.timed(Effect.scoped(Effect.flatMap(startLikeUsers, reach)))
      times.push(Duration.toSeconds(time))
    }
    return measured({ seconds: median(times) })
  })

const reach = (port: number) =>
  Effect.async<void, ChildFailed>((resume) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.resetAndDestroy()
      resume(Effect.void)
    })
    socket.on("error", (error) => resume(new ChildFailed({ program: "tellnet", reason: error.message })))
  })

const measured = (figures: Figures): Answer => ({ kind: "Measured", figures })

const failed = (reason: string): Answer => ({ kind: "Failed", reason })

const inShort = (answer: Answer): string =>
  answer.kind === "Failed"
    ? `failed, ${answer.reason}`
    : Object.entries(answer.figures).map(([name, value]) => `${name} ${Number(value.toPrecision(3))}`).join(", ")
