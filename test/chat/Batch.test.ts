import { assert, describe, it } from "@effect/vitest"
import { Array, Effect, FastCheck } from "effect"
import { Batch } from "../../src/chat/Batch.ts"
import type { Delivery } from "../../src/chat/Delivery.ts"
import type { User } from "../../src/chat/User.ts"
import { makeUser, ownReply, privateLine } from "../support/fakes.ts"

type Event =
  | { readonly event: "everyone"; readonly text: string }
  | { readonly event: "one"; readonly who: number; readonly texts: ReadonlyArray<string>; readonly own: boolean }
  | { readonly event: "join" | "part"; readonly who: number }

const who = FastCheck.nat({ max: 3 })
const line = FastCheck.constantFrom("a", "bc", "张三", "👋", "é").map((text) => `${text}\n`)
const event: FastCheck.Arbitrary<Event> = FastCheck.oneof(
  { weight: 3, arbitrary: FastCheck.record({ event: FastCheck.constant("everyone" as const), text: line }) },
  {
    weight: 2,
    arbitrary: FastCheck.record({
      event: FastCheck.constant("one" as const),
      who,
      texts: FastCheck.array(line, { minLength: 1, maxLength: 3 }),
      own: FastCheck.boolean()
    })
  },
  { weight: 1, arbitrary: FastCheck.record({ event: FastCheck.constantFrom("join" as const, "part" as const), who }) }
)

/** What one user is to get: each line, and whether it is an own reply. */
type Line = readonly [text: string, own: boolean]

const linesOf = ({ bytes, kind }: Delivery): ReadonlyArray<Line> =>
  Buffer.from(bytes).toString().match(/.*\n/g)?.map((text) => [text, kind === "own"]) ?? []

/** Ends the batch; what each user got, and a failure where that does not add up. */
const giveAll = (batch: Batch): Map<User, ReadonlyArray<Line>> => {
  const given = new Map<User, ReadonlyArray<Line>>()
  batch.flush((user, { deliveries, parts }) => {
    assert.isFalse(given.has(user), "everybody is given to once")
    assert.deepStrictEqual(Buffer.concat(parts), Buffer.concat(deliveries.map(({ bytes }) => bytes)))
    for (const delivery of deliveries) assert.strictEqual(linesOf(delivery).length, delivery.lines)
    given.set(user, deliveries.flatMap(linesOf))
  })
  return given
}

const fourUsers = Effect.runSync(Effect.forEach([0, 1, 2, 3], (id) => makeUser(id)))

describe("Batch", () => {
  it.prop("gives every user exactly what it would get event by event, in order", [
    FastCheck.subarray([0, 1, 2, 3]),
    FastCheck.array(event, { maxLength: 30 })
  ], ([present, events]) => {
    const members = new Set(present.map((who) => Array.unsafeGet(fourUsers, who)))
    const gone = new Set<User>()
    const model = new Map<User, Array<Line>>()
    const hears = (user: User, text: string, own: boolean) => {
      const lines = model.get(user) ?? []
      model.set(user, lines)
      lines.push([text, own])
    }
    const reading = new Set<User>(members)
    const batch = new Batch(new Set(members))
    for (const event of events) {
      if (event.event === "everyone") {
        batch.everyone(event.text)
        for (const user of reading) hears(user, event.text, false)
        continue
      }
      const user = Array.unsafeGet(fourUsers, event.who)
      switch (event.event) {
        case "one": {
          const { own, texts } = event
          const reply = ownReply({ bytes: Buffer.from(texts.join("")), lines: texts.length })
          batch.one(user, own ? reply : { ...reply, kind: "private", promised: false })
          if (reading.has(user)) { for (const text of texts) hears(user, text, own) }
          break
        }
        case "join": {
          // Nobody comes twice: who comes back is another user.
          if (reading.has(user) || gone.has(user)) break
          batch.join(user)
          reading.add(user)
          break
        }
        case "part": {
          assert.strictEqual(batch.part(user), reading.delete(user))
          gone.add(user)
        }
      }
    }
    const given = giveAll(batch)
    assert.deepStrictEqual(fourUsers.map((user) => given.get(user)), fourUsers.map((user) => model.get(user)))
  }, { fastCheck: { numRuns: 1000 } })

  it("shares one buffer among all who have nothing of their own in it", () => {
    const batch = new Batch(new Set(fourUsers))
    const [asker] = fourUsers
    assert.isDefined(asker)
    batch.everyone("one\n")
    batch.one(asker, ownReply({ bytes: Buffer.from("reply\n"), lines: 1 }))
    batch.everyone("two\n")
    const buffers = new Set<Uint8Array>()
    batch.flush((user, { parts }) => {
      if (user !== asker) { for (const part of parts) buffers.add(part) }
    })
    assert.deepStrictEqual([...buffers].map(String), ["one\ntwo\n"])
  })

  it("changes the members that the next batch begins with", () => {
    const [stays, leaves, comes] = fourUsers
    assert.isDefined(stays)
    assert.isDefined(leaves)
    assert.isDefined(comes)
    const members = new Set<User>([stays, leaves])
    const batch = new Batch(members)
    batch.join(comes)
    batch.part(leaves)
    batch.flush(() => {})
    const next = new Batch(members)
    next.everyone("hi\n")
    assert.sameMembers([...giveAll(next).keys()], [stays, comes])
  })

  it("counts what a crowd writes to one user, and not what the user is answered", () => {
    const [user] = fourUsers
    assert.isDefined(user)
    const batch = new Batch(new Set<User>([user]))
    batch.one(user, ownReply({ bytes: Buffer.alloc(1000), lines: 1 }))
    assert.strictEqual(batch.size, 0)
    batch.one(user, privateLine("x".repeat(1000)))
    assert.strictEqual(batch.size, 1000)
  })

  it("gives nothing to anybody where nothing happened", () => {
    assert.strictEqual(giveAll(new Batch(new Set(fourUsers))).size, 0)
  })
})
