/**
 * What one client reads, held against the witness's log: after its own 已上线 every broadcast must be the next line of
 * the log. So one comparison of strings a line finds what is lost, doubled or out of order, and nothing is kept but a
 * place. Knows no socket.
 */
import type { Field } from "./Field.ts"
import { Received } from "./Grammar.ts"
import * as Notices from "./Notices.ts"
import type { Visit } from "./Visit.ts"

export interface Reader {
  readonly take: (lines: ReadonlyArray<string>) => void
  /** Nothing more will come: whatever waits for the log is judged as soon as it can be. */
  readonly finish: () => void
  readonly notices: Notices.Notices
}

/** How far around its place a line is looked for. */
const reach = 20_000
/** A line that the log does not hold is a riddle until the log has grown by this much. */
const patience = 500
/** Missing places remembered, so that a line that comes late counts as out of order, not as lost. */
const missingKept = 1000
const waitingAtMost = 200_000

const isBroadcast = Received.$is("Broadcast")
const isPresence = /^\[([\d.]+:\d+)\](?:\1|[^:]+):(?:已上线|下线)$/
const isPast = Received.$is("Past")
const isSkipped = Received.$is("Skipped")

export const make = (visit: Visit, field: Field): Reader => {
  const { grammar, log, tally } = field
  const who = `${visit.ip} (${visit.kind})`
  const notices = Notices.make(visit, field)
  const missing = new Set<number>()
  let waiting: Array<string> = []
  let place: number | undefined
  let riddleSince: number | undefined
  let skippedJustNow = false
  let old: Array<string> = []
  let ownLines = 0
  let finished = false

  const confirm = (line: string, at: number) => {
    tally.count("delivered")
    skippedJustNow = false
    riddleSince = undefined
    place = at + 1
    if (log.sender(at) !== visit.id || at === visit.onlineAt) return
    // A user's own replies stand in the order too: after "your name is", no line of its own bears another name.
    ownLines++
    if (!line.startsWith(`[${visit.address}]${notices.name()}:`)) {
      tally.fault("name", `${who}, whose name is ${notices.name()}, reads its own line as: ${line}`)
    }
  }

  /** Finds the place to begin at: that of its own 已上线, less the broadcasts that came before it. */
  const begin = (): boolean => {
    if (visit.onlineAt === undefined) return false
    const own = waiting.indexOf(log.at(visit.onlineAt) ?? "")
    if (own < 0 && waiting.length < patience && !finished) return false
    if (own < 0) tally.fault("presence", `${who} never read its own 已上线`)
    const before = waiting.slice(0, Math.max(0, own)).filter((line) => isBroadcast(grammar.read(line)))
    place = visit.onlineAt - before.length
    return true
  }

  /** `line` is not the next one of the log. False: too early to say why. */
  const explain = (line: string, at: number): boolean => {
    if (at < log.start()) {
      tally.fault("lost", `${who} is more than a whole log behind`)
      place = log.end()
      return false
    }
    const up = log.findUp(line, at + 1, reach)
    if (up >= 0) {
      const example = `${who} reads place ${up} where ${at} is due: ${line}`
      if (skippedJustNow) tally.fault("skip", example)
      else tally.fault("lost", example, up - at)
      for (let each = at; each < up && missing.size < missingKept; each++) missing.add(each)
      confirm(line, up)
      return true
    }
    const down = log.findDown(line, at - 1, reach)
    if (down >= 0) {
      const late = missing.delete(down)
      if (late) tally.found("lost")
      tally.fault(
        skippedJustNow ? "skip" : late ? "order" : "twice",
        `${who} reads place ${down} where ${at} is due: ${line}`
      )
      return true
    }
    riddleSince ??= log.end()
    if (log.end() - riddleSince < patience && !finished) return false
    riddleSince = undefined
    tally.fault("order", `${who} reads what the witness never read: ${line}`)
    return true
  }

  const skip = (lines: number) => {
    tally.count("skips")
    tally.count("skipped", lines)
    place = (place ?? 0) + lines
    skippedJustNow = true
    // Only nappers make the server skip; to all others it has lost lines, said so or not.
    if (visit.kind !== "napper") tally.fault("lost", `${who} was told of ${lines} skipped lines`, lines)
  }

  /** The old lines that came together must be the last that were said before this place. */
  const judgeOld = () => {
    tally.count("old", old.length)
    let at = (place ?? 0) - 1
    for (const line of old.toReversed()) {
      while (isPresence.test(log.at(at) ?? "")) at--
      if (at >= log.start() && log.at(at) !== line) {
        tally.fault("past", `${who} reads at place ${place} ${line}, where ${at} was said: ${log.at(at)}`)
        break
      }
      at--
    }
    old = []
  }

  /** False: the line has to wait until the log has grown. */
  const step = (line: string): boolean => {
    const past = grammar.read(line)
    if (isPast(past)) {
      old.push(past.line)
      return true
    }
    if (old.length > 0) judgeOld()
    if (place !== undefined && log.at(place) === line) {
      confirm(line, place)
      return true
    }
    const received = grammar.read(line)
    if (isBroadcast(received)) {
      if (place === undefined && !begin()) return false
      const at = place ?? 0
      if (at >= log.end()) return false
      if (log.at(at) !== line) return explain(line, at)
      confirm(line, at)
    } else if (isSkipped(received)) {
      if (place === undefined && !begin()) return false
      skip(received.lines)
    } else notices.hear(received, line)
    return true
  }

  const lastWord = () => {
    if (visit.leaving !== "polite") return
    if (place === undefined) tally.fault("presence", `${who} left politely and never read its own 已上线`)
    // What it caused for itself is written out before the end. A napper's own lines may have been skipped.
    else if (visit.kind !== "garbage" && visit.kind !== "napper" && ownLines !== visit.sent) {
      tally.fault("lost", `${who} said ${visit.sent} lines and read ${ownLines} of them at its end`)
    }
  }

  const advance = () => {
    let done = 0
    while (done < waiting.length && step(waiting[done] ?? "")) done++
    waiting = done === waiting.length ? [] : waiting.slice(done)
    if (waiting.length > waitingAtMost) {
      tally.fault("order", `the witness is ${waiting.length} lines behind ${who}, whose next is: ${waiting[0]}`)
      waiting = []
    }
    if (waiting.length > 0) return void field.ahead.add(self)
    field.ahead.delete(self)
    if (finished) lastWord()
  }
  const self = { advance }

  return {
    take: (lines) => {
      for (const line of lines) waiting.push(line)
      advance()
    },
    finish: () => {
      finished = true
      advance()
    },
    notices
  }
}
