/** The world as one node tells it to another that begins. What comes in is decoded like a stranger's. */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Address } from "../domain/Address.ts"
import { type NodeId, Nonce, Seq, type UserId } from "../domain/Event.ts"
import { Name, NameKey } from "../domain/Name.ts"
import * as World from "../domain/World.ts"
import { Node, RoomName, usersOfNode } from "./RecordCodec.ts"

/** So many UTF-16 units one part has; as UTF-8, with its quotes escaped, less than what a message may have. */
export const partUnits = 100_000

const Text = Schema.String
const Place = Schema.NonNegativeInt
const Snapshot = Schema.parseJson(Schema.Struct({
  v: Schema.Literal(1),
  log: Text,
  place: Place,
  said: Place,
  users: Schema.Array(Schema.Struct({
    node: Node,
    number: Place,
    address: Text.pipe(Schema.fromBrand(Address)),
    name: Text.pipe(Schema.fromBrand(Name)),
    room: Text,
    since: Place,
    at: Schema.Number
  })),
  rooms: Schema.Array(Schema.Struct({ room: RoomName, maker: Text })),
  owned: Schema.Array(Text.pipe(Schema.fromBrand(NameKey))),
  nonces: Schema.Array(Schema.Struct({ nonce: Text, seq: Place, at: Schema.Number, origin: Text })),
  last: Schema.Array(Schema.Tuple(Node, Place)),
  gone: Schema.Array(Node)
}))
const encodeSnapshot = Schema.encodeSync(Snapshot)
const decodeSnapshot = Schema.decodeOption(Snapshot)

/** A world, and where it is so: behind the message at this place of this log. */
export interface Taken {
  readonly log: string
  readonly place: number
  readonly world: World.World
}

export const encode = ({ log, place, world }: Taken): string => {
  const { nodes, nonces, owned, rooms, said, users } = World.partsOf(world)
  return encodeSnapshot({
    v: 1,
    log,
    place,
    said,
    users: users.map(({ at, node, room, since, user, who: { address, name } }) => ({
      node,
      number: user % usersOfNode,
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
    gone: nodes.gone
  })
}

/** `undefined`: it is none. `userOf`: what the receiver calls a user of a node. */
export const decode = (text: string, userOf: (node: NodeId, number: number) => UserId): Taken | undefined =>
  Option.getOrUndefined(
    Option.map(decodeSnapshot(text), ({ gone, last, log, nonces, owned, place, rooms, said, users }) => ({
      log,
      place,
      world: World.fromParts({
        users: users.map(({ address, at, name, node, number, room, since }) => ({
          user: userOf(node, number),
          who: { address, name },
          room: NameKey(room),
          since: Seq(since),
          at,
          node
        })),
        rooms,
        owned,
        nonces: nonces.map(({ at, nonce, origin, seq }) => ({ nonce: Nonce(nonce), seq: Seq(seq), at, origin })),
        nodes: { last: HashMap.fromIterable(last), gone },
        said: Seq(said)
      })
    }))
  )
