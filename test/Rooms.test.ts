/** Rooms, on a real server: who hears what, in which order, and which rooms there are. */
import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as Effect from "effect/Effect"
import { nameKey } from "../src/domain/Name.ts"
import { type Client, connect } from "./support/client.ts"
import {
  asks,
  called,
  come,
  elsewhere,
  file,
  open,
  places,
  quit,
  readsNothing,
  timeless,
  told
} from "./support/people.ts"
import { start } from "./support/server.ts"

const came = (client: Client, room: string) => `${client.front}来到 #${room}`
const went = (client: Client, room: string) => `${client.front}去了 #${room}`

/** Goes to a room in which nothing was said. */
const joins = (client: Client, room: string, name = room) => asks(client, `/join ${room}`, came(client, name))

const replay = 3

type Step = { readonly join: string } | { readonly say: number } | { readonly leave: true }
const { array, constantFrom, nat, oneof, record } = FastCheck

const step: FastCheck.Arbitrary<Step> = oneof(
  { weight: 3, arbitrary: record({ say: nat({ max: 3 }) }) },
  { weight: 3, arbitrary: record({ join: constantFrom("dev", "DEV", "#dev", "garden", "lobby") }) },
  { weight: 1, arbitrary: record({ leave: constantFrom(true as const) }) }
)
/** What each user does. */
const plan = record({
  users: array(array(step, { minLength: 3, maxLength: 12 }), { minLength: 2, maxLength: 4 }),
  // So many lines are typed in one go.
  burst: constantFrom(1, 2, 5)
})

/** The lines of one user's plan. What it says is said by nobody else, and never again. */
const linesOf = (steps: ReadonlyArray<Step>, who: string): ReadonlyArray<string> =>
  steps.flatMap((step, n) => {
    if ("join" in step) return [`/join ${step.join}`]
    if ("leave" in step) return ["/leave"]
    return Array.from({ length: step.say }, (_, i) => `words ${who}.${n}.${i}`)
  })

/** Where a plan leads: the rooms, in order, and what is said in each stay there. Joining the room where one is is no move. */
const staysOf = (lines: ReadonlyArray<string>) => {
  const stays: Array<{ readonly room: string; readonly said: Array<string> }> = [{ room: "LOBBY", said: [] }]
  let refused = 0
  for (const line of lines) {
    const here = stays.at(-1)!
    const to = line === "/leave"
      ? "LOBBY"
      : line.startsWith("/join ")
      ? nameKey(line.slice(6).replace("#", ""))
      : undefined
    if (to === undefined) here.said.push(line)
    else if (to === here.room) refused++
    else stays.push({ room: to, said: [] })
  }
  return { stays, refused }
}

const isOwn = (client: Client, line: string) => line.startsWith(client.front)

describe("Whoever talks, comes and goes in rooms", () => {
  it.scopedLive.prop(
    "reads its own arrival, the last old lines, and then exactly what is told there, in the one order of the room",
    [plan],
    ([{ burst, users }]) =>
      Effect.gen(function*() {
        const port = yield* start({ rate: 0, replay })
        // One that stays in each room: what it reads is the order of that room.
        const watchers: Record<string, Client> = {}
        for (const room of ["lobby", "dev", "garden"]) {
          const watcher = yield* connect(port, elsewhere())
          yield* told(watcher, `/join ${room}`)
          watchers[nameKey(room)] = watcher
        }
        yield* told(watchers["LOBBY"]!)
        const people = yield* Effect.forEach(users, (steps, n) =>
          Effect.map(connect(port), (client) => ({ client, lines: linesOf(steps, String(n)) })))
        const read = yield* Effect.forEach(
          people,
          ({ client, lines }) =>
            Effect.gen(function*() {
              const transcript: Array<string> = []
              for (let n = 0; n < lines.length; n += burst) {
                transcript.push(...yield* told(client, ...lines.slice(n, n + burst)))
              }
              return transcript
            }),
          { concurrency: "unbounded" }
        )
        // Nobody types any more: what each of them has not read yet is on its way.
        for (const [n, { client }] of people.entries()) {
          read[n]!.push(...yield* told(client))
        }
        const orders: Record<string, ReadonlyArray<string>> = {}
        for (const [room, watcher] of Object.entries(watchers)) {
          orders[room] = yield* told(watcher)
        }

        for (const [n, { client, lines }] of people.entries()) {
          const { refused, stays } = staysOf(lines)
          const transcript = read[n]!.filter((line) =>
            !line.startsWith("*** 您已在 #")
          )
          assert.strictEqual(read[n]!.length - transcript.length, refused)
          const expected: Array<string> = []
          const next: Record<string, number> = {}
          for (const [index, { room, said }] of stays.entries()) {
            const order = orders[room]!
            const begins = (line: string) =>
              isOwn(client, line) && /^(已上线|来到 #.*)$/.test(line.slice(client.front.length))
            const first = order.findIndex((line, at) => at >= (next[room] ?? 0) && begins(line))
            assert.isAtLeast(first, 0, "its arrival is in the order of the room")
            const isLast = index === stays.length - 1
            const end = isLast
              ? order.length
              : order.findIndex((line, at) => at > first && line.startsWith(`${client.front}去了 #`))
            assert.isAbove(end, first)
            next[room] = end + 1
            const before = order.slice(0, first).filter((line) => line.includes(":words "))
            expected.push(order[first]!)
            expected.push(...before.slice(-replay).map((line) => `*** TIME ${line}`))
            const stay = order.slice(first + 1, end)
            expected.push(...stay)
            assert.deepStrictEqual(
              stay.filter((line) => line.startsWith(`${client.front}words`)).map((line) =>
                line.slice(client.front.length)
              ),
              said,
              "all that it said there is heard there"
            )
          }
          assert.deepStrictEqual(timeless(transcript), expected)
        }
        for (const order of Object.values(orders)) {
          const words = order.filter((line) => line.includes(":words "))
          assert.strictEqual(new Set(words).size, words.length, "nothing twice")
        }
      }),
    { fastCheck: { numRuns: 25, interruptAfterTimeLimit: 20_000 } }
  )
})

for (const place of places) {
  describe(`A room, kept ${place.name}`, () => {
    it.scopedLive("is told of who comes and goes, and only it; and hears only its own", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        const ann = yield* come(port)
        const bob = yield* come(port, [ann])
        const carl = yield* come(port, [ann, bob])
        yield* joins(ann, "dev")
        yield* bob.sees(went(ann, "dev"))
        yield* asks(bob, "/j #Dev", came(bob, "dev"))
        yield* ann.sees(came(bob, "dev"))
        yield* asks(ann, "hello", `${ann.front}hello`)
        yield* bob.sees(`${ann.front}hello`)
        yield* asks(carl, "hi", went(ann, "dev"), went(bob, "dev"), `${carl.front}hi`)
        yield* asks(bob, "/leave", came(bob, "lobby"))
        yield* ann.sees(went(bob, "lobby"))
        yield* carl.sees(came(bob, "lobby"))
        // Its end is for those who are left there.
        yield* joins(carl, "garden")
        yield* bob.sees(went(carl, "garden"))
        yield* quit(carl)
        yield* readsNothing(ann)
        yield* readsNothing(bob)
        yield* quit(bob)
        yield* readsNothing(ann)
        yield* asks(ann, "/leave now", "*** 用法：/leave")
        yield* asks(ann, "/leave", came(ann, "lobby"))
        yield* asks(ann, "/leave", "*** 您已在 #lobby")
      }))

    it.scopedLive("keeps what was said in it: its comers are told the last of it, and who asks gets it", () =>
      Effect.gen(function*() {
        const port = yield* open(place, { replay })
        const ann = yield* come(port)
        yield* asks(ann, "in the lobby", `${ann.front}in the lobby`)
        yield* joins(ann, "dev")
        const old = (...lines: ReadonlyArray<string>) => lines.map((line) => `*** TIME ${ann.front}${line}`)
        yield* told(ann, "one", "two", "three", "four")
        assert.deepStrictEqual(timeless(yield* told(ann, "/leave")), [came(ann, "lobby"), ...old("in the lobby")])
        assert.deepStrictEqual(timeless(yield* told(ann, "/history")), old("in the lobby"))
        // Nobody is there; what was said is.
        yield* asks(ann, "/who dev", "*** 没有这个房间")
        assert.deepStrictEqual(timeless(yield* told(ann, "/join Dev")), [
          came(ann, "Dev"),
          ...old("two", "three", "four")
        ])
        assert.deepStrictEqual(timeless(yield* told(ann, "/history 2")), old("three", "four"))
        assert.deepStrictEqual(timeless(yield* told(ann, "/history")), old("one", "two", "three", "four"))
        yield* joins(ann, "garden")
        yield* asks(ann, "/history", "*** 还没有消息")
        // Who comes to the server comes to the lobby.
        const bob = yield* connect(port)
        assert.deepStrictEqual(timeless(yield* told(bob)), [`${bob.front}已上线`, ...old("in the lobby")])
      }))

    it.scopedLive("is one room however its name is written, and called as whoever came first has called it", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        const [ann, bob] = [yield* come(port), yield* come(port)]
        yield* ann.sees(`${bob.front}已上线`)
        yield* joins(ann, "Café")
        yield* bob.sees(went(ann, "Café"))
        for (const name of ["Ｃafé", "#CAFE\u0301", "＃café"]) {
          yield* asks(bob, `/join ${name}`, came(bob, "Café"))
          yield* ann.sees(came(bob, "Café"))
          yield* asks(bob, `/join ${name}`, "*** 您已在 #Café")
          yield* asks(bob, `/who ${name}`, `${ann.front}在线...`, `${bob.front}在线...`)
          yield* asks(bob, "/leave", came(bob, "lobby"))
          yield* ann.sees(went(bob, "lobby"))
        }
        yield* asks(bob, "/join LOBBY", "*** 您已在 #lobby")
        // Once it is empty it is another one.
        yield* asks(ann, "/leave", came(ann, "lobby"))
        yield* bob.sees(came(ann, "lobby"))
        yield* joins(ann, "cafe\u0301", "café")
      }))

    it.scopedLive("is listed with how many are in it, most people first, then by name", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        const people = yield* Effect.replicateEffect(come(port), 6)
        const [ann, bob, carl, dave, eve, fred] = people as [Client, Client, Client, Client, Client, Client]
        for (const client of people) yield* told(client)
        yield* told(ann)
        yield* asks(ann, "/rooms", "*** #lobby 6 人")
        for (
          const [client, room] of [[bob, "zoo"], [carl, "Bar"], [dave, "zoo"], [eve, "aaa"], [fred, "张"]] as const
        ) {
          yield* told(client, `/join ${room}`)
        }
        const [, ...rest] = [
          "*** #zoo 2 人",
          "*** #zoo 2 人",
          "*** #aaa 1 人",
          "*** #Bar 1 人",
          "*** #lobby 1 人",
          "*** #张 1 人"
        ]
        const listed = (yield* told(ann, "/rooms")).filter((line) => line.startsWith("*** "))
        assert.deepStrictEqual(listed, rest)
        yield* asks(ann, "/rooms all", "*** 用法：/rooms")
        yield* told(ann, "/join aaa")
        assert.deepStrictEqual(
          yield* told(ann, "/rooms"),
          ["*** #aaa 2 人", "*** #zoo 2 人", "*** #Bar 1 人", "*** #张 1 人"]
        )
        yield* asks(ann, "/who", `${ann.front}在线...`, `${eve.front}在线...`)
        yield* asks(ann, "who", `${ann.front}在线...`, `${eve.front}在线...`)
        yield* asks(ann, "/who #ZOO", `${bob.front}在线...`, `${dave.front}在线...`)
        yield* asks(ann, "/who nowhere", "*** 没有这个房间")
        yield* asks(ann, "/who not allowed", "*** 用法：/who [ROOM]")
        yield* asks(ann, "/who [x]", "*** 没有这个房间")
        const whois = (yield* told(ann, "/whois")).map((line) => line.replace(/，\d\d-\d\d \d\d:\d\d:\d\d /, "，TIME "))
        assert.deepStrictEqual(whois, [`*** [${ann.address}]${ann.address} 在 #aaa，TIME 上线`])
      }))

    it.scopedLive("has a name as people have, but that a reserved one will do", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        const ann = yield* come(port)
        for (const name of ["a:b", "[dev]", "12.34", "x".repeat(33), "##dev", "#", "a|b", "😀", "\u0301a"]) {
          yield* asks(ann, `/join ${name}`, "*** 房间名不合法")
        }
        yield* asks(ann, "/join", "*** 用法：/join ROOM")
        yield* asks(ann, "/j two words", "*** 用法：/j ROOM")
        for (const name of ["admin", "系统", "x".repeat(32)]) yield* joins(ann, name)
        yield* joins(ann, "#v1.0", "v1.0")
      }))

    it.scopedLive("is one of twenty that were made from one address, and that are not empty", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        const people = yield* Effect.replicateEffect(come(port), 21)
        for (const [n, client] of people.entries()) {
          yield* told(client)
          if (n < 20) yield* joins(client, `room${n}`)
        }
        const one = people[20]!
        yield* told(one)
        yield* asks(one, "/join room20", "*** 房间数量已达上限")
        yield* asks(one, "/join room7", came(one, "room7"))
        yield* asks(one, "/leave", came(one, "lobby"))
        const other = yield* come(port, [one], elsewhere())
        yield* joins(other, "room20")
        yield* one.sees(went(other, "room20"))
        // Its maker has gone, and somebody else is still there.
        yield* asks(one, "/join room20", came(one, "room20"))
        yield* told(people[3]!, "/leave")
        yield* joins(one, "room21")
      }))

    it.scopedLive("is nothing that somebody who never joins one would notice", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        const ann = yield* come(port)
        const people = yield* Effect.replicateEffect(come(port), 3)
        for (const client of people) yield* told(client)
        yield* told(ann)
        for (const client of people) yield* told(client, "/join dev")
        for (const client of people) {
          yield* told(client, "not for the lobby", "/nick Bob", "/rooms", "/who lobby", "/history", "/nick Carol")
        }
        assert.deepStrictEqual(yield* told(ann), people.map((client) => went(client, "dev")))
        for (const client of people) yield* quit(client)
        yield* asks(ann, "/history", "*** 还没有消息")
        yield* asks(ann, "who", `${ann.front}在线...`)
        yield* readsNothing(ann)
      }))

    it.scopedLive("makes no difference to names and private lines", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        const ann = yield* come(port)
        const bob = yield* come(port, [ann])
        yield* joins(bob, "dev")
        yield* ann.sees(went(bob, "dev"))
        yield* asks(bob, "/nick Bob", "您已经更新用户名:Bob")
        yield* asks(ann, "/nick bob", "当前用户名被使用")
        yield* asks(ann, "to|Bob|psst")
        yield* bob.sees(`${ann.address}对您说:psst`)
        yield* asks(bob, "hello", `${called(bob, "Bob")}hello`)
        yield* readsNothing(ann)
      }))
  })
}

describe("Rooms", () => {
  it.scopedLive("are spoken of in English", () =>
    Effect.gen(function*() {
      const port = yield* start({ rate: 0, lang: "en" })
      const ann = yield* connect(port)
      yield* ann.sees(`${ann.front}online`)
      const bob = yield* connect(port)
      yield* ann.sees(`${bob.front}online`)
      yield* bob.sees(`${bob.front}online`)
      yield* asks(ann, "/join dev", `${ann.front}came to #dev`)
      yield* bob.sees(`${ann.front}went to #dev`)
      yield* asks(ann, "/join dev", "*** you are in #dev already")
      yield* asks(ann, "/join a:b", "*** room name not allowed")
      yield* asks(ann, "/who nowhere", "*** no such room")
      yield* asks(ann, "/rooms", "*** #dev 1", "*** #lobby 1")
    }))

  it.scopedLive("keep their own lines over a restart", () =>
    Effect.gen(function*() {
      const data = yield* file
      const ann = yield* Effect.scoped(Effect.gen(function*() {
        const ann = yield* come(yield* start({ rate: 0, data }))
        yield* told(ann, "in the lobby", "/join Dev", "in dev")
        return ann
      }))
      const bob = yield* come(yield* start({ rate: 0, data }))
      const old = (line: string) => `*** TIME ${ann.front}${line}`
      assert.deepStrictEqual(timeless(yield* told(bob, "/history")), [old("in the lobby")])
      yield* asks(bob, "/rooms", "*** #lobby 1 人")
      assert.deepStrictEqual(timeless(yield* told(bob, "/join dev", "/history")), [came(bob, "dev"), old("in dev")])
    }))
})
