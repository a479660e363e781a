/** How a node begins: which log the stream holds, who is online in it, and what was said last. */
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import { originOf } from "../domain/Address.ts"
import { alone, type Line, type NodeId, Seq, type Stored } from "../domain/Event.ts"
import { placeOf } from "../domain/Fold.ts"
import { monotonic } from "../domain/monotonic.ts"
import * as Nodes from "../domain/Nodes.ts"
import type { Used } from "../domain/Nonces.ts"
import type { Erased, Said } from "./LastLines.ts"
import { type Kept, recordEvents, type Start } from "./MessageLog.ts"
import * as Codec from "./RecordCodec.ts"
import * as Requests from "./Requests.ts"
import { type Identity, type Message, OutOfReach, type SharedStream, type State } from "./SharedStream.ts"
import * as Snapshot from "./Snapshot.ts"
import type { UserNumbers } from "./UserNumbers.ts"

/** So many of the last records are looked at, and so many lines of them are remembered, at least. */
const lookedAt = 5000
const remembered = 5000
const retryEvery = 200
// So many records are fetched and decoded at once: others want to be served meanwhile, and on a slow link the answers to other
// requests come behind them.
const atOnce = 50

export interface Entered {
  readonly identity: Identity
  /** What is known behind the message at this place. */
  readonly place: number
  readonly start: Start
  readonly said: Said
  /** Nodes that lived there; none: all that is known comes from the stream. */
  readonly others: ReadonlyArray<NodeId>
}

/** Nothing of this node counts from there on. Whoever does it first is heard; it makes no difference who. */
export const bury = (shared: SharedStream, node: NodeId): Effect.Effect<void, OutOfReach> =>
  shared.publish(
    "presence",
    `gone.${node}`,
    Codec.encode({ node: alone, number: 0, events: [{ _tag: "NodeGone", node }] })
  )

/**
 * Which log the stream holds. A stream that was made anew, or has less than whoever is in the log has seen, holds another one, and
 * the first to see that gives it its name.
 */
export const settle = (
  shared: SharedStream,
  newId: () => string,
  known?: { readonly id: string; readonly place: number }
): Effect.Effect<{ readonly held: Identity; readonly stream: State }, OutOfReach> =>
  Effect.gen(function*() {
    const stream = yield* shared.state
    const held = yield* shared.identity
    const isOlder = known !== undefined && held?.value.id === known.id && stream.last < known.place
    if (held !== undefined && held.value.created === stream.created && !isOlder) return { held: held.value, stream }
    yield* shared.identify({ id: newId(), created: stream.created, from: stream.last }, held?.version)
    return yield* settle(shared, newId, known)
  })

export const enter = (
  shared: SharedStream,
  { lease, newId }: { readonly lease: number; readonly newId: () => string },
  numbers: UserNumbers
): Effect.Effect<Entered, OutOfReach> =>
  Effect.gen(function*() {
    const known = yield* shared.known
    const { held: identity } = yield* settle(shared, newId)
    const taken = yield* askForWorld(shared, known, lease, identity, numbers)
    if (taken !== undefined) {
      const { place, world } = taken
      const said = { lines: [], erased: lastAt(place) }
      const others = Array.from(HashMap.keys(world.nodes.last))
      return { identity, place, start: { seq: lastAt(place), world }, said, others }
    }
    // Nobody is left who could know more: whoever is there all the same reads of it, and comes back.
    yield* Effect.forEach(known, (node) => bury(shared, node), { discard: true })
    const { stream: { last: place } } = yield* settle(shared, newId)
    // Whoever gives its first sign of life after this begins to say something behind that place.
    const now = yield* shared.known
    if (now.some((node) => !known.includes(node))) return yield* enter(shared, { lease, newId }, numbers)
    const { gone, nonces, said } = yield* lookBack(shared, identity, place)
    return { identity, place, start: { seq: lastAt(place), nonces, gone }, said, others: [] }
  })

/** The last number that the record at this place could have. */
export const lastAt = (place: number): Seq => Seq(Codec.seqAt(place + 1) - 1)

/** The world as another node has it; `undefined` if there is none that could know. */
const askForWorld = (
  shared: SharedStream,
  known: ReadonlyArray<NodeId>,
  lease: number,
  { id }: Identity,
  numbers: UserNumbers
): Effect.Effect<Snapshot.Taken | undefined, OutOfReach> =>
  Effect.gen(function*() {
    const clock = yield* Effect.clock
    const begun = monotonic(clock)
    let left = known
    while (left.length > 0) {
      const here = (node: NodeId) => Effect.as(shared.ask(node, Requests.request.encode({ _tag: "Here" })), node)
      const node = yield* Effect.option(Effect.raceAll(left.map(here)))
      if (node._tag === "Some") {
        const taken = yield* Effect.option(fetch(shared, node.value, numbers))
        if (taken._tag === "Some" && taken.value.log === id) return taken.value
        left = left.filter((other) => other !== node.value)
      } else {
        // Whoever is not connected may be on its way back: perhaps NATS itself has just begun.
        if (monotonic(clock) - begun > lease) return undefined
        yield* Effect.sleep(retryEvery)
      }
    }
    return undefined
  })

const fetch = (shared: SharedStream, node: NodeId, numbers: UserNumbers) =>
  Effect.gen(function*() {
    const ask = (token: string, part: number) => Requests.ask(shared, node, { _tag: "World", token, part }, "Part")
    const first = yield* ask("", 0)
    let text = first.text
    for (let part = 1; part < first.parts; part++) text += (yield* ask(first.token, part)).text
    const taken = Snapshot.decode(text, (node, number) => numbers.userOf(node, number))
    return taken ?? (yield* new OutOfReach({ why: "the answer is no world" }))
  })

interface Past {
  readonly said: Said
  readonly nonces: ReadonlyArray<Used>
  readonly gone: ReadonlyArray<NodeId>
}

/** What the last records before a place say. */
const lookBack = (shared: SharedStream, { from }: Identity, place: number): Effect.Effect<Past, OutOfReach> =>
  Effect.gen(function*() {
    const first = Math.max(from + 1, place - lookedAt + 1)
    // From the last one backwards, as far as it is worth it.
    const records: Array<Read> = []
    let begin = place + 1
    let count = 0
    while (begin > first && count < remembered) {
      const end = begin - 1
      const earliest = Math.max(first, end - atOnce + 1)
      for (const message of (yield* shared.between(earliest, end)).toReversed()) {
        if (count >= remembered) break
        begin = message.place
        const record = read(message)
        if (record === undefined) continue
        count += record.events.length
        records.push(record)
      }
      if (count < remembered) begin = earliest
    }
    const past = new Replay()
    for (const record of records.toReversed()) past.add(record)
    const { erasures, gone, lines, nonces } = past
    return { said: { lines, erasures, erased: lastAt(begin - 1) }, nonces, gone }
  })

/** What was said before, a page of it: as another node has it, or where there was none, as the stream has it. */
export const older = (
  shared: SharedStream,
  { identity, others }: Entered,
  erased: Seq,
  living: ReadonlyArray<NodeId>
): Effect.Effect<Said, OutOfReach> => {
  if (others.length === 0) return olderOf(shared, identity, erased)
  const asked = living.map((node) => askForLines(shared, node, identity.id, Seq(erased + 1)))
  return Effect.firstSuccessOf([...asked, new OutOfReach({ why: "no other node answers" })])
}

/** Without the world before it: what a node did not let happen that long ago may be among it. */
const olderOf = (shared: SharedStream, { from }: Identity, erased: Seq) =>
  Effect.gen(function*() {
    const { first } = yield* shared.state
    const end = Math.floor(erased / recordEvents)
    const begin = Math.max(from + 1, first, end - atOnce + 1)
    if (begin > end) return { lines: [], erased }
    const past = new Replay()
    for (const message of yield* shared.between(begin, end)) {
      const record = read(message)
      if (record !== undefined) past.add(record)
    }
    return { lines: past.lines, erasures: past.erasures, erased: lastAt(begin - 1) }
  })

const askForLines = (shared: SharedStream, node: NodeId, log: string, before: Seq): Effect.Effect<Said, OutOfReach> =>
  Effect.filterOrFail(
    Requests.ask(shared, node, { _tag: "Lines", before }, "Lines"),
    (reply) => reply.log === log && reply.known >= before - 1,
    () => new OutOfReach({ why: "the node does not know yet" })
  )

type Read = Codec.NodeRecord & Pick<Stored, "seq" | "at">

const read = ({ at, body, place }: Message): Read | undefined => {
  const record = Codec.decode(body)
  return record && { ...record, seq: Codec.seqAt(place), at }
}

/** Records that are read again, one after another, without the world before them. */
class Replay {
  readonly lines: Array<Line> = []
  readonly erasures: Array<Erased> = []
  private nodes = Nodes.empty
  private readonly used = new Map<string, Used>()

  get gone(): ReadonlyArray<NodeId> {
    return this.nodes.gone
  }

  get nonces(): ReadonlyArray<Used> {
    return Array.from(this.used.values())
  }

  add(record: Read): void {
    const admitted = Nodes.admit(this.nodes, record)
    if (admitted === undefined) return
    this.nodes = admitted
    record.events.forEach((event, index) => {
      if (event._tag === "NodeGone") this.nodes = Nodes.bury(this.nodes, event.node) ?? this.nodes
      if (event._tag === "Erased") this.erasures.push({ erasure: event.erasure, before: placeOf(record.seq, index) })
    })
    const kept = keptOf(record)
    const again = new Set<Seq>()
    for (const used of kept.nonces) {
      if (this.used.has(used.nonce)) again.add(used.seq)
      else this.used.set(used.nonce, used)
    }
    this.lines.push(...kept.lines.filter(({ seq }) => !again.has(seq)))
  }
}

/** What is kept of a record, as far as that can be seen without the world before it. */
const keptOf = ({ at, events, seq }: Pick<Stored, "at" | "events" | "seq">): Kept => {
  const lines: Array<Line> = []
  const nonces: Array<Used> = []
  events.forEach((event, index) => {
    if (event._tag !== "Said" && event._tag !== "Told") return
    const place = placeOf(seq, index)
    if (event.nonce !== undefined) {
      nonces.push({ nonce: event.nonce, seq: place, at, origin: originOf(event.who.address) })
    }
    if (event._tag === "Said") lines.push({ seq: place, at, room: event.room.key, who: event.who, text: event.text })
  })
  return { lines, nonces }
}
