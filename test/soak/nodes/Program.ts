/**
 * One of those who talk: over many connections, to one node after the other, it is the same one. It comes back as
 * `src/wire/README.md` tells programs to, and sends again what was not answered.
 */
import { Effect, type Scope } from "effect"
import * as Dice from "../Dice.ts"
import type { Field } from "./Field.ts"
import * as Link from "./Link.ts"
import * as Presence from "./Presence.ts"
import * as Reading from "./Reading.ts"
import type * as Wire from "./Wire.ts"

export interface Program {
  readonly name: string
  readonly reading: Reading.Reading
  /** Its connection, if it has one, and how it is called there. */
  readonly link: () => Link.Link | undefined
  readonly called: () => string
  readonly presence: () => Presence.Presence | undefined
  readonly isCutOff: () => boolean
  /** The place of its last line, once nothing of it is on its way any more, and it has all that it missed. */
  readonly last: () => number | undefined
  /** Never ends by itself. */
  readonly run: Effect.Effect<void>
}

interface Manners {
  /** Where it is whenever it can be. */
  readonly home: number | undefined
  /** It has a name of its own. */
  readonly secret: string | undefined
  /** It stays while it has a connection, and waits for its answers. */
  readonly isPatient: boolean
  /** ms between two of its acts. */
  readonly pause: readonly [number, number]
  readonly onlyTalks: boolean
}

export const observer = (home: number): Manners => ({
  home,
  secret: undefined,
  isPatient: true,
  pause: [2000, 5000],
  onlyTalks: true
})

export const talker = (number: number): Manners => ({
  home: undefined,
  secret: number % 5 === 0 ? `secret of ${number}` : undefined,
  isPatient: number % 2 === 0,
  pause: [300, 2200],
  onlyTalks: false
})

const names = ["Ann", "ＡＮＮ", "bob", "Bob", "张三", "李四", "a-1", "a-2", "a-3", "e\u0301tude", "étude"] as const
const rooms = [Reading.lobby, "tea", "茶"] as const

/** No answer takes longer, in ms in which nothing is broken; what was broken needs a part of it to mend. */
const longestAnswer = 15_000

const makeState = (name: string, manners: Manners, seed: number, field: Field) => ({
  name,
  manners,
  field,
  dice: Dice.make(seed, name),
  reading: Reading.make(name, field.ledger, field.tally),
  link: undefined as Link.Link | undefined,
  presence: undefined as Presence.Presence | undefined,
  called: "",
  wanted: manners.secret === undefined ? undefined : `owner-${name}`,
  isCutOff: false,
  /** The line that was not answered yet. */
  pending: undefined as { readonly text: string; readonly nonce: string | undefined; sent: number } | undefined,
  count: 0,
  last: undefined as number | undefined
})
type State = ReturnType<typeof makeState>

export const make = (name: string, manners: Manners, seed: number, field: Field): Program => {
  const state = makeState(name, manners, seed, field)
  return {
    name,
    reading: state.reading,
    link: () => state.link,
    called: () => state.called,
    presence: () => state.presence,
    isCutOff: () => state.isCutOff,
    last: () => state.link && state.last,
    run: Effect.forever(
      Effect.scoped(visit(state)).pipe(
        Effect.catchAll(() => Effect.void),
        Effect.zipRight(Effect.suspend(() => pause(state, 100, 600)))
      )
    )
  }
}

const pause = ({ dice }: State, least: number, most: number) => Effect.sleep(dice.between(least, most))

const visit = (state: State): Effect.Effect<void, Link.Cut, Scope.Scope> =>
  Effect.gen(function*() {
    const { field, reading } = state
    // Whether it was said nobody knows, and it must not be said twice.
    if (state.pending?.nonce === undefined) state.pending = undefined
    const port = portOf(state)
    if (port === undefined) return
    state.isCutOff = false
    state.presence = Presence.make(state.name, field.tally)
    const link = yield* Effect.acquireRelease(
      Link.open(port, state.name, field.tally, (heard, link) => hear(state, heard, link)),
      () =>
        Effect.sync(() => {
          state.link = undefined
        })
    )
    field.ledger.connected(link.address, state.name)
    const room = reading.room()
    yield* inTime(state, link.hello)
    state.link = link
    if (state.wanted !== undefined) yield* rename(state, link, state.wanted)
    yield* catchUp(state, link, room)
    yield* ask(state, link, { do: "who" })
    yield* Effect.raceFirst(Effect.forever(act(state, link)), link.closed)
  })

/** Any node that runs, as far as is known; an observer's own one, if it does. */
const portOf = ({ dice, field: { nodes }, manners }: State): number | undefined => {
  const home = manners.home === undefined ? undefined : nodes[manners.home]?.port()
  return home ?? nodes[dice.between(0, nodes.length - 1)]?.port()
}

/** To the room where it was, and all that was said there meanwhile. */
const catchUp = (state: State, link: Link.Link, room: string) =>
  Effect.gen(function*() {
    const { field, reading } = state
    if (room !== Reading.lobby) {
      while (!(yield* ask(state, link, { do: "join", room })).ok) yield* pause(state, 200, 500)
    }
    for (let missed = reading.missed(); missed !== undefined; missed = reading.missed()) {
      const answer = yield* ask(state, link, { do: "history", limit: 1000, ...missed })
      if (!answer.ok) yield* pause(state, 200, 500)
      else if (answer.more !== true) {
        reading.returned()
        field.tally.count("resumes")
      }
    }
  })

const hear = (state: State, heard: Wire.Heard, link: Link.Link): void => {
  const { field: { letters, tally }, name, reading } = state
  const isOwn = "who" in heard && heard.who.addr === link.address
  if (isOwn) state.called = heard.kind === "renamed" ? heard.name : heard.who.name
  state.presence?.hear(heard)
  switch (heard.kind) {
    case "hello":
      state.called = heard.you.name
      return reading.begin(heard.seq)
    case "came":
      return isOwn && heard.seq !== undefined ? reading.came(heard.room, heard.seq) : undefined
    case "said":
      reading.said(heard)
      return letters.said(heard.text, link, name)
    case "past":
      return reading.past(heard)
    case "private":
      // Its author gets it as well.
      return heard.from.addr === link.address ? undefined : letters.told(heard.text, name)
    case "notice":
      if (heard.code === "skipped" || heard.code === "gap" || heard.code === "log-lost") {
        tally.fault("lost", `${name} is told: ${heard.code}`)
      }
      if (heard.code === "cut-off") {
        tally.count("cutOffs")
        if (state.isCutOff) tally.fault("reach", `${name} is told twice that it is cut off`)
        state.isCutOff = true
      }
      if (heard.code === "back") state.isCutOff = false
      return
    default:
  }
}

/** Whoever is not patient goes elsewhere when an answer does not come. */
const inTime = <A>(state: State, self: Effect.Effect<A, Link.Cut>) => {
  const { dice, field: { tally }, name, manners } = state
  if (manners.isPatient) {
    const late = Effect.flatMap(tooLong(state), () => {
      tally.fault("answer", `${name} got no answer in ${longestAnswer} ms in which nothing was broken`)
      return new Link.Cut({ why: "no answer came" })
    })
    return Effect.raceFirst(self, late)
  }
  return Effect.timeoutFail(self, {
    duration: dice.between(3000, 9000),
    onTimeout: () => {
      tally.count("impatient")
      return new Link.Cut({ why: "no answer came" })
    }
  })
}

const tooLong = ({ field }: State) =>
  Effect.suspend(() => {
    const end = field.calm() + longestAnswer
    return Effect.repeat(Effect.delay(Effect.sync(field.calm), "500 millis"), { until: (calm) => calm > end })
  })

const ask = (state: State, link: Link.Link, command: object) =>
  Effect.tap(inTime(state, link.ask(command)), ({ ok }) => {
    if (!ok) state.field.tally.count("refusals")
  })

const act = (state: State, link: Link.Link): Effect.Effect<void, Link.Cut> =>
  Effect.gen(function*() {
    const { dice, field, manners } = state
    // What was thought dead was brought back elsewhere.
    if (state.presence?.all() === undefined) yield* ask(state, link, { do: "who" })
    if (state.pending !== undefined) yield* say(state, link)
    if (field.isOver()) {
      if (state.last === undefined) {
        yield* say(state, link)
      }
      return yield* Effect.sleep("500 millis")
    }
    const roll = dice.between(1, 100)
    if (manners.onlyTalks || roll <= 64) yield* say(state, link)
    else if (roll <= 72) yield* rename(state, link, dice.pick(...names))
    else if (roll <= 80) yield* move(state, link)
    else if (roll <= 93) yield* whisper(state, link)
    else if (roll <= 96) {
      yield* ask(state, link, { do: "quit" })
      return yield* link.closed
    } else if (roll <= 98) yield* sayAndGo(state, link)
    yield* pause(state, ...manners.pause)
  })

const next = (state: State) => {
  state.count++
  state.last = undefined
  const text = `${state.name}.${state.count}`
  state.field.ledger.intend(text, state.name)
  // Without a nonce only the nodes know that they send something again.
  const nonce = state.dice.chance(0.6) ? `${state.name}_${state.count}_`.padEnd(16, "0") : undefined
  return { text, nonce, sent: 0 }
}

const say = (state: State, link: Link.Link) =>
  Effect.gen(function*() {
    const { field: { ledger, tally } } = state
    const line = state.pending ??= next(state)
    tally.count(line.sent++ === 0 ? "said" : "again")
    const answer = yield* ask(state, link, { do: "say", text: line.text, nonce: line.nonce })
    if (!answer.ok || answer.seq === undefined) {
      return tally.fault("answer", `${state.name} said ${line.text}, and was refused: ${answer.code}`)
    }
    ledger.answered(line.text, answer.seq)
    state.pending = undefined
    state.last = answer.seq
  })

/** Whether it was said nobody knows. */
const sayAndGo = (state: State, link: Link.Link) => {
  const { nonce, text } = state.pending = { ...next(state), sent: 1 }
  state.field.tally.count("said")
  link.send({ do: "say", text, nonce })
  return Effect.zipRight(pause(state, 0, 3), link.reset)
}

const rename = (state: State, link: Link.Link, name: string) =>
  Effect.gen(function*() {
    const { field: { tally }, manners: { secret } } = state
    if (secret !== undefined && name !== state.wanted) return
    const answer = yield* ask(state, link, { do: "rename", name, ...secret !== undefined && { secret } })
    if (answer.ok) tally.count("renames")
    if (secret === undefined) state.wanted = answer.ok ? name : undefined
    else if (!answer.ok && answer.code !== "busy") {
      tally.fault("answer", `${state.name} does not get its own name: ${answer.code}`)
    }
  })

const move = (state: State, link: Link.Link) =>
  Effect.gen(function*() {
    const answer = yield* ask(state, link, { do: "join", room: state.dice.pick(...rooms) })
    if (answer.ok) state.field.tally.count("moves")
    yield* ask(state, link, { do: "who" })
  })

const whisper = (state: State, link: Link.Link) =>
  Effect.gen(function*() {
    const { dice, field: { letters, programs } } = state
    const other = programs[dice.between(0, programs.length - 1)]
    const connection = other?.link()
    if (other === undefined || connection === undefined || other.name === state.name) return
    const name = other.called()
    const text = `${state.name}:${++state.count}`
    letters.send(text)
    // On a node that is cut off somebody else may hold that name still.
    const isKnown = state.presence?.has(connection.address, name) === true
    const answer = yield* ask(state, link, { do: "to", name, text })
    if (isKnown && answer.ok && other.link() === connection && other.called() === name) {
      letters.delivered(text, connection)
    }
  })
