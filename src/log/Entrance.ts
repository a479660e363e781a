/** How a node begins: which log the stream holds, who is online in it, and what was said last. */
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import { originOf } from "../domain/Address.ts"
import { alone, type Line, type NodeId, Seq, type Stored } from "../domain/Event.ts"
import { monotonic } from "../domain/monotonic.ts"
import * as Nodes from "../domain/Nodes.ts"
import type { Used } from "../domain/Nonces.ts"
import { placeOf } from "../domain/World.ts"
import type { Kept, Start } from "./MessageLog.ts"
import * as Codec from "./RecordCodec.ts"
import * as Requests from "./Requests.ts"
import { type Identity, OutOfReach, type SharedStream, type State } from "./SharedStream.ts"
import * as Snapshot from "./Snapshot.ts"
import type { UserNumbers } from "./UserNumbers.ts"

/** So many of the last records are looked at, and so many lines of them are remembered, at least. */
const lookedAt = 5000
const remembered = 5000
const retryEvery = 200

export interface Entered {
  readonly identity: Identity
  /** What is known behind the message at this place. */
  readonly place: number
  readonly start: Start
  /** What was said before, oldest first. */
  readonly lines: ReadonlyArray<Line>
  /** Nodes that lived there. */
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
      const { lines } = yield* lookBack(shared, identity, place)
      const others = Array.from(HashMap.keys(world.nodes.last))
      return { identity, place, start: { seq: lastAt(place), world }, lines, others }
    }
    // Nobody is left who could know more: whoever is there all the same reads of it, and comes back.
    yield* Effect.forEach(known, (node) => bury(shared, node), { discard: true })
    const { stream: { last: place } } = yield* settle(shared, newId)
    // Whoever gives its first sign of life after this begins to say something behind that place.
    const now = yield* shared.known
    if (now.some((node) => !known.includes(node))) return yield* enter(shared, { lease, newId }, numbers)
    const { gone, lines, nonces } = yield* lookBack(shared, identity, place)
    return { identity, place, start: { seq: lastAt(place), nonces, gone }, lines, others: [] }
  })

/** The last number that the record at this place could have. */
const lastAt = (place: number): Seq => Seq(Codec.seqAt(place + 1) - 1)

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
      let silent = 0
      const here = (node: NodeId) =>
        shared.ask(node, Requests.request.encode({ _tag: "Here" })).pipe(
          Effect.tapErrorTag("OutOfReach", () => Effect.sync(() => silent++)),
          Effect.as(node)
        )
      const node = yield* Effect.option(Effect.raceAll(left.map(here)))
      if (node._tag === "Some") {
        const taken = yield* Effect.option(fetch(shared, node.value, numbers))
        if (taken._tag === "Some" && taken.value.log === id) return taken.value
        left = left.filter((other) => other !== node.value)
      } else {
        // Whoever is not connected is gone; whoever says nothing may be late.
        if (silent === 0 || monotonic(clock) - begun > lease) return undefined
        yield* Effect.sleep(retryEvery)
      }
    }
    return undefined
  })

const fetch = (shared: SharedStream, node: NodeId, numbers: UserNumbers) =>
  Effect.gen(function*() {
    const ask = (token: string, part: number) =>
      Effect.flatMap(shared.ask(node, Requests.request.encode({ _tag: "World", token, part })), (body) => {
        const reply = Requests.reply.decode(body)
        return reply?._tag === "Part" ? Effect.succeed(reply) : new OutOfReach({ why: "the answer is none" })
      })
    const first = yield* ask("", 0)
    let text = first.text
    for (let part = 1; part < first.parts; part++) text += (yield* ask(first.token, part)).text
    const taken = Snapshot.decode(text, (node, number) => numbers.userOf(node, number))
    return taken ?? (yield* new OutOfReach({ why: "the answer is no world" }))
  })

interface Past {
  readonly lines: ReadonlyArray<Line>
  readonly nonces: ReadonlyArray<Used>
  readonly gone: ReadonlyArray<NodeId>
}

/** What the last records before a place say. */
const lookBack = (shared: SharedStream, { from }: Identity, place: number): Effect.Effect<Past, OutOfReach> =>
  Effect.gen(function*() {
    const messages = place === from ? [] : yield* shared.between(Math.max(from + 1, place - lookedAt + 1), place)
    // From the last one backwards, as far as it is worth it.
    const records = []
    let count = 0
    for (const { at, body, place } of messages.toReversed()) {
      if (count >= remembered) break
      const record = Codec.decode(body)
      if (record === undefined) continue
      count += record.events.length
      records.push({ ...record, seq: Codec.seqAt(place), at })
    }
    let nodes = Nodes.empty
    const lines: Array<Line> = []
    const nonces = new Map<string, Used>()
    for (const record of records.toReversed()) {
      const admitted = Nodes.admit(nodes, record)
      if (admitted === undefined) continue
      nodes = admitted
      for (const event of record.events) if (event._tag === "NodeGone") nodes = Nodes.bury(nodes, event.node) ?? nodes
      const kept = keptOf(record)
      const again = new Set<Seq>()
      for (const used of kept.nonces) {
        if (nonces.has(used.nonce)) again.add(used.seq)
        else nonces.set(used.nonce, used)
      }
      lines.push(...kept.lines.filter(({ seq }) => !again.has(seq)))
    }
    return { lines, nonces: Array.from(nonces.values()), gone: nodes.gone }
  })

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
