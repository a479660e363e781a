/**
 * The loader: a process of its own, so that its work is not in the server's figures and can sit on another core. Plain Node,
 * no fibers: it has to be cheaper than every server that it measures. Reads a `Job` from its standard input,
 * prints an `Answer`.
 */
import { text } from "node:stream/consumers"
import type { Answer, Job } from "../Job.ts"
import { measure } from "./measure.ts"

const print = (answer: Answer): void => {
  // Exits at once: the sockets of thousands of users would keep the process busy with goodbyes.
  process.stdout.write(`${JSON.stringify(answer)}\n`, () => process.exit(0))
}

// Not decoded by the schema: it comes from our own process, and loading Schema takes half a second for each run.
const job: Job = JSON.parse(await text(process.stdin))

measure(job).then(
  (figures) => print({ kind: "Measured", figures }),
  (error: unknown) => print({ kind: "Failed", reason: error instanceof Error ? error.message : String(error) })
)
