/** The tally and the samples as text. */
import { Struct } from "effect"
import * as Samples from "./Samples.ts"
import { events, faults, type Tally } from "./Tally.ts"

const row = (count: number, what: string) => `${String(count).padStart(12)}  ${what}`

/** One line, for every ten seconds. */
export const progress = (sample: Samples.Sample, tally: Tally): string => {
  const wrong = Struct.keys(faults).filter((fault) => tally.of(fault) > 0)
  return [
    `${sample.second} s:`,
    `${sample.online} online,`,
    `${sample.ordered} broadcasts,`,
    `${tally.of("delivered")} read,`,
    `${tally.of("kicked")} kicked,`,
    `${tally.of("stalls")} stalled,`,
    `${tally.of("skips")} skip notices,`,
    `${sample.memory.toFixed(0)} MiB,`,
    `${sample.descriptors} descriptors,`,
    wrong.length === 0 ? "no faults" : `FAULTS: ${wrong.map((fault) => `${fault} ${tally.of(fault)}`).join(", ")}`
  ].join(" ")
}

export const final = (samples: ReadonlyArray<Samples.Sample>, tally: Tally): string => {
  const { allowed, thirds } = Samples.growth(samples)
  const memory = thirds.map((third) => third.toFixed(1)).join(", ")
  return [
    "",
    Samples.table(samples),
    "",
    `Median memory of the thirds after warm-up: ${memory} MiB; allowed for the last: ${allowed.toFixed(1)} MiB.`,
    "",
    verdict(events, faults, tally)
  ].join("\n")
}

/** All counts, the first examples of what is wrong, and the last word. */
export const verdict = <E extends string, F extends string>(
  events: Readonly<Record<E, string>>,
  faults: Readonly<Record<F, string>>,
  tally: Tally<E, F>
): string =>
  [
    "What happened:",
    ...Struct.keys(events).map((event) => row(tally.of(event), events[event])),
    "",
    "What must not happen:",
    ...Struct.keys(faults).flatMap((fault) =>
      [row(tally.of(fault), faults[fault])].concat(
        tally.examples(fault).map((example) => `${" ".repeat(14)}- ${example}`)
      )
    ),
    "",
    tally.faulty() ? "FAILED" : "PASSED"
  ].join("\n")
