/** The world as one node tells it to another that begins. What comes in is decoded like a stranger's. */
import * as HashMap from "effect/HashMap"
import * as Schema from "effect/Schema"
import { type NodeId, Seq, UserId } from "../domain/Event.ts"
import { nameKey } from "../domain/Name.ts"
import * as Rules from "../domain/Rules.ts"
import * as World from "../domain/World.ts"
import { recordEvents } from "./MessageLog.ts"
import * as Codec from "./RecordCodec.ts"

// The longest text of a network, and of the ID of a log.
const Short = Schema.String.pipe(Schema.maxLength(64))
/** A place in the order of all events, and one in the stream. */
const Place = Schema.NonNegativeInt
const StreamPlace = Schema.Int.pipe(Schema.between(0, Math.floor(Number.MAX_SAFE_INTEGER / recordEvents) - 1))
const Snapshot = Schema.parseJson(Schema.Struct({
  v: Schema.Literal(1),
  log: Short,
  place: StreamPlace,
  said: Place,
  users: Schema.Array(Schema.Struct({
    node: Codec.Node,
    number: Codec.User,
    address: Codec.ShownAddress,
    name: Codec.ShownName,
    room: Codec.Key,
    since: Place,
    at: Codec.Time
  })),
  rooms: Schema.Array(Schema.Struct({ room: Codec.RoomName, maker: Short })),
  owned: Schema.Array(Codec.Key),
  nonces: Schema.Array(Schema.Struct({ nonce: Codec.Token, seq: Place, at: Codec.Time, origin: Short })),
  last: Schema.Array(Schema.Tuple(Codec.Node, Place)),
  gone: Schema.Array(Codec.Node),
  /** A node of a version before operators has none. */
  rules: Schema.optionalWith(
    Schema.Struct({
      bans: Schema.Array(Codec.Rule),
      mutes: Schema.Array(Codec.Rule),
      isLocked: Schema.Boolean
    }),
    { default: () => ({ bans: [], mutes: [], isLocked: false }) }
  )
}))
const encodeSnapshot = Schema.encodeSync(Snapshot)
const decodeSnapshot = Codec.decoderOf(Snapshot)

/** A world, and where it is so: behind the message at this place of this log. */
export interface Taken {
  readonly log: string
  readonly place: number
  readonly world: World.World
}

export const encode = ({ log, place, world }: Taken): string => {
  const { nodes, nonces, owned, rooms, rules, said, users } = World.partsOf(world)
  return encodeSnapshot({
    v: 1,
    log,
    place,
    said,
    users: users.map(({ at, node, room, since, user, who: { address, name } }) => ({
      node,
      number: UserId(user % Codec.usersOfNode),
      address,
      name,
      room,
      since,
      at
    })),
    rooms,
    owned,
    nonces,
    last: Array.from(nodes.last),
    gone: nodes.gone,
    rules: {
      bans: Array.from(HashMap.values(rules.bans)),
      mutes: Array.from(HashMap.values(rules.mutes)),
      isLocked: rules.isLocked
    }
  })
}

/** `undefined`: it is none. `userOf`: what the receiver calls a user of a node. */
export const decode = (text: string, userOf: (node: NodeId, number: number) => UserId): Taken | undefined => {
  const read = decodeSnapshot(text)
  if (read === undefined || !isConsistent(read)) return undefined
  const { gone, last, log, nonces, owned, place, rooms, rules, said, users } = read
  return {
    log,
    place,
    world: World.fromParts({
      users: users.map(({ address, at, name, node, number, room, since }) => ({
        user: userOf(node, number),
        who: { address, name },
        room,
        since: Seq(since),
        at,
        node
      })),
      rooms,
      owned,
      nonces: nonces.map(({ at, nonce, origin, seq }) => ({ nonce, seq: Seq(seq), at, origin })),
      nodes: { last: HashMap.fromIterable(last), gone },
      rules: Rules.fromRules(rules),
      said: Seq(said)
    })
  }
}

type Visitor = (typeof Snapshot.Type)["users"][number]
const unique: ReadonlyArray<(visitor: Visitor) => unknown> = [
  ({ node, number }) => `${node} ${number}`,
  ({ since }) => since,
  ({ name }) => nameKey(name)
]

/** Nobody is there twice: no world is made of that. */
const isConsistent = ({ users }: typeof Snapshot.Type): boolean =>
  unique.every((by) => new Set(users.map(by)).size === users.length)
