/** What happens in one go, held against what each user would get event by event. */
import { assert, describe, it } from "@effect/vitest"
import { Array, Effect, FastCheck } from "effect"
import { Batch } from "../../src/chat/Batch.ts"
import type { Delivery } from "../../src/chat/Delivery.ts"
import type { Circle, User } from "../../src/chat/User.ts"
import { Seq } from "../../src/domain/Event.ts"
import { nameKey } from "../../src/domain/Name.ts"
import { type FakeUser, makeUser, ownReply, plain, privateLine, timed } from "../support/fakes.ts"

type Event =
  | { readonly event: "tell"; readonly circle: number; readonly text: string; readonly but: ReadonlyArray<number> }
  | { readonly event: "one"; readonly who: number; readonly texts: ReadonlyArray<string>; readonly own: boolean }
  | { readonly event: "move"; readonly who: number; readonly circle: number | undefined }

const who = FastCheck.nat({ max: 3 })
const circle = FastCheck.nat({ max: 2 })
const line = FastCheck.constantFrom("a", "bc", "张三", "👋", "é")
const event: FastCheck.Arbitrary<Event> = FastCheck.oneof(
  {
    weight: 3,
    arbitrary: FastCheck.record({
      event: FastCheck.constant("tell" as const),
      circle,
      text: line,
      but: FastCheck.oneof(FastCheck.constant([]), FastCheck.subarray([0, 1, 2, 3]))
    })
  },
  {
    weight: 2,
    arbitrary: FastCheck.record({
      event: FastCheck.constant("one" as const),
      who,
      texts: FastCheck.array(line.map((text) => `${text}\n`), { minLength: 1, maxLength: 3 }),
      own: FastCheck.boolean()
    })
  },
  {
    weight: 1,
    arbitrary: FastCheck.record({
      event: FastCheck.constant("move" as const),
      who,
      circle: FastCheck.option(circle, { nil: undefined })
    })
  }
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
    for (const delivery of deliveries) {
      assert.strictEqual(linesOf(delivery).length, delivery.lines)
      // The number of the last line that was said stands in it.
      const said = Array.last(linesOf(delivery).filter(() => delivery.kind === "shared"))
      const number = said._tag === "Some" ? Number(said.value[0].split(" ")[0]) : 0
      if (number > 0) assert.isAtLeast(delivery.mark?.seq ?? 0, number)
    }
    given.set(user, deliveries.flatMap(linesOf))
  })
  return given
}

const room = (name: string) => ({ key: nameKey(name), name })

/** Four users, the first two in one circle, and three circles: two forms of one room, and another room. */
const scene = () => {
  const users = Effect.runSync(Effect.forEach([0, 1, 2, 3], (id) => makeUser(id)))
  const circles: ReadonlyArray<Circle> = [
    { room: room("a"), form: plain, users: new Set() },
    { room: room("a"), form: timed, users: new Set() },
    { room: room("b"), form: plain, users: new Set() }
  ]
  for (const user of users.slice(0, 2)) {
    user.circle = circles[0]
    circles[0]!.users.add(user)
  }
  return { users, circles }
}

describe("Batch", () => {
  it.prop("gives every user exactly what it would get event by event, in order, whichever circles it reads with", [
    FastCheck.array(event, { maxLength: 30 })
  ], ([events]) => {
    const { circles, users } = scene()
    const model = new Map<User, Array<Line>>()
    const hears = (user: User, text: string, own: boolean) => {
      const lines = model.get(user) ?? []
      model.set(user, lines)
      lines.push([text, own])
    }
    const reading = new Map<User, Circle | undefined>(users.map((user) => [user, user.circle]))
    const batch = new Batch()
    for (const [index, event] of events.entries()) {
      switch (event.event) {
        case "tell": {
          const told = circles[event.circle]!
          const text = `${index + 1} ${event.text}\n`
          const but = event.but.map((id) => users[id]!).filter((user) => reading.get(user) === told)
          batch.tell(told, text, Seq(index + 1), but.length === 0 ? undefined : but)
          for (const user of users) {
            if (reading.get(user) === told && !but.includes(user)) hears(user, text, false)
          }
          break
        }
        case "one": {
          const user = users[event.who]!
          const { own, texts } = event
          const reply = ownReply({ bytes: Buffer.from(texts.join("")), lines: texts.length })
          batch.one(user, own ? reply : { ...reply, kind: "private", promised: false })
          if (reading.get(user) !== undefined) { for (const text of texts) hears(user, text, own) }
          break
        }
        case "move": {
          const user = users[event.who]!
          const to = event.circle === undefined ? undefined : circles[event.circle]
          batch.move(user, to)
          reading.set(user, to)
        }
      }
    }
    const given = giveAll(batch)
    assert.deepStrictEqual(users.map((user) => given.get(user)), users.map((user) => model.get(user)))
    for (const circle of circles) {
      assert.sameMembers([...circle.users], users.filter((user) => reading.get(user) === circle))
    }
  }, { fastCheck: { numRuns: 2000 } })

  const together = () => {
    const { circles, users } = scene()
    return { users: users as ReadonlyArray<FakeUser>, circle: circles[0]! }
  }

  it("shares one buffer among all who have nothing of their own in it", () => {
    const { circle, users } = together()
    const [asker, , third, fourth] = users
    const batch = new Batch()
    for (const user of [third!, fourth!]) {
      user.circle = circle
      circle.users.add(user)
    }
    batch.tell(circle, "one\n")
    batch.one(asker!, ownReply({ bytes: Buffer.from("reply\n"), lines: 1 }))
    batch.tell(circle, "two\n")
    const buffers = new Set<Uint8Array>()
    batch.flush((user, { parts }) => {
      if (user !== asker) { for (const part of parts) buffers.add(part) }
    })
    assert.deepStrictEqual([...buffers].map(String), ["one\ntwo\n"])
  })

  it("counts what a crowd writes to one user, and not what the user is answered", () => {
    const { users: [user] } = together()
    const batch = new Batch()
    batch.one(user!, ownReply({ bytes: Buffer.alloc(1000), lines: 1 }))
    assert.strictEqual(batch.size, 0)
    batch.one(user!, privateLine("x".repeat(1000)))
    assert.strictEqual(batch.size, 1000)
  })

  it("gives nothing to anybody where nothing happened", () => {
    assert.strictEqual(giveAll(new Batch()).size, 0)
  })
})
