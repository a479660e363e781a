/** Names with owners, on a real server: who gets a name, who loses it, and what each of them reads, byte for byte. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/TestClock"
import { OnlineMap } from "../src/chat/OnlineMap.ts"
import { OwnedNames } from "../src/chat/OwnedNames.ts"
import { Pace } from "../src/chat/Pace.ts"
import { Records } from "../src/chat/Records.ts"
import * as Session from "../src/chat/Session.ts"
import { nameKey } from "../src/domain/Name.ts"
import * as World from "../src/domain/World.ts"
import { chat } from "./support/chat.ts"
import { arrive, type Client, connect, type Options, within } from "./support/client.ts"
import * as Peer from "./support/connection.ts"
import * as Hashing from "./support/hashing.ts"
import { isOnNodes } from "./support/nodes.ts"
import {
  asks,
  called,
  come,
  elsewhere,
  file,
  open,
  own,
  places,
  quit,
  readsNothing,
  secretOf,
  told,
  until
} from "./support/people.ts"
import { start } from "./support/server.ts"

const busy = "*** 服务器忙，请稍后再试"
const notAllowed = "用户名不合法，请使用 1-32 个字母、数字、\"_\"、\"-\" 或 \".\"。"
const badSecret = "*** 口令需至少 6 个字符，至多 128 字节"
const wrongSecret = "*** 口令不对"
const isNow = (name: string) => `您已经更新用户名:${name}`
const isOwned = (name: string) => `*** ${name} 已有主人，请用 rename|${name}#口令`

for (const place of places) {
  describe(`A name that is owned, kept ${place.name}`, () => {
    Hashing.cheaply()

    it.scopedLive("is had by nobody without its secret, whether its owner is here or not", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        const ann = yield* come(port)
        const bob = yield* come(port, [ann])
        yield* own(ann, "Ann")
        yield* asks(bob, "rename|Ann", isOwned("Ann"))
        yield* asks(bob, "/nick ANN", isOwned("ANN"))
        yield* asks(bob, "rename|Ann#something else", wrongSecret)
        yield* readsNothing(ann)
        yield* quit(ann)
        yield* bob.sees(`${called(ann, "Ann")}下线`)
        yield* asks(bob, "/rename Ａnn", isOwned("Ａnn"))
        yield* asks(bob, "/nick ann#secret of Bob", wrongSecret)
        yield* asks(bob, "who", `${bob.front}在线...`)
      }))

    it.scopedLive("comes back with its secret, however it is typed, and is not made owned twice", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        const ann = yield* come(port)
        yield* own(ann, "Ann", "pass # word")
        yield* quit(ann)
        for (
          const line of [
            "rename|Ann#pass # word",
            "\u3000Rename ｜ Ann ＃ pass # word\t",
            "／NICK Ann#pass # word",
            "/rename Ann ＃pass # word"
          ]
        ) {
          const again = yield* arrive(port)
          yield* asks(again, line, isNow("Ann"))
          yield* quit(again)
        }
        // Blanks within it are its own.
        const eve = yield* arrive(port)
        yield* asks(eve, "rename|Ann#pass  # word", wrongSecret)
      }))

    it.scopedLive("is taken from a ghost: all three read exactly this, in this order", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        const ghost = yield* come(port)
        yield* own(ghost, "Ann")
        const witness = yield* come(port, [ghost])
        const owner = yield* come(port, [ghost, witness])
        yield* owner.send(`rename|Ann#${secretOf("Ann")}\nhere I am\n`)
        yield* ghost.ended
        assert.deepStrictEqual(yield* ghost.lines, ["*** 您已在别处登录"])
        yield* witness.sees(`${called(ghost, "Ann")}下线`, `${called(owner, "Ann")}here I am`)
        yield* owner.sees(`${called(ghost, "Ann")}下线`, isNow("Ann"), `${called(owner, "Ann")}here I am`)
        yield* readsNothing(witness)
        yield* readsNothing(owner)
        yield* asks(witness, "who", `${witness.front}在线...`, `${called(owner, "Ann")}在线...`)
      }))

    it.scopedLive("is taken from a ghost in another room: only that room hears of its end", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        const ghost = yield* come(port)
        yield* own(ghost, "Ann")
        yield* asks(ghost, "/join dev", `${called(ghost, "Ann")}来到 #dev`)
        const near = yield* come(port)
        yield* asks(near, "/join dev", `${near.front}来到 #dev`)
        const far = yield* come(port)
        const owner = yield* come(port, [far])
        yield* asks(owner, `rename|Ann#${secretOf("Ann")}`, isNow("Ann"))
        yield* near.sees(`${called(ghost, "Ann")}下线`)
        yield* ghost.sees(`${near.front}来到 #dev`, "*** 您已在别处登录")
        yield* ghost.ended
        yield* readsNothing(far)
        yield* readsNothing(owner)
      }))

    it.scopedLive("is no secret's that is too short, too long or spoiled; and the same however that is composed", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        const ann = yield* come(port)
        for (const secret of ["", "  ", "12345", " 12345 ", "x".repeat(129), "长".repeat(43), "pass\ufffdword"]) {
          yield* asks(ann, `rename|Ann#${secret}`, badSecret)
        }
        yield* ann.send(Buffer.from("rename|Ann#pass\xc3word\n", "latin1"))
        yield* ann.sees(badSecret)
        // 42 times 3 bytes; six code points of which each is two units.
        yield* own(ann, "long", "长".repeat(42))
        yield* own(ann, "short", "👋👋👋👋👋👋")
        yield* own(ann, "cafe", "caf\u00e9 noir")
        yield* quit(ann)
        const again = yield* come(port)
        yield* asks(again, "rename|cafe#cafe\u0301 noir", isNow("cafe"))
      }))

    it.scopedLive("is refused in the order of the checks: secret, name, reserved, held", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        const ann = yield* come(port)
        const bob = yield* come(port, [ann])
        yield* asks(bob, "rename|bob", isNow("bob"))
        yield* asks(ann, "rename|not allowed#short", badSecret)
        yield* asks(ann, "rename|admin#short", badSecret)
        yield* asks(ann, "rename|not allowed#long enough", notAllowed)
        yield* asks(ann, "rename|#long enough", notAllowed)
        yield* asks(ann, "rename|Ｒoot#long enough", "*** 该用户名为系统保留")
        yield* asks(ann, "rename|bob#long enough", "当前用户名被使用")
        yield* asks(ann, "rename|Bob", "当前用户名被使用")
        yield* asks(ann, "/nick #long enough", "*** 用法：/nick NAME")
        yield* readsNothing(bob)
        // He who holds it may own it.
        yield* own(bob, "bob")
      }))

    it.scopedLive("stays its owner's in another case, and is free for nobody when its owner goes by another one", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        const ann = yield* come(port)
        const bob = yield* come(port, [ann])
        yield* own(ann, "Ann")
        yield* asks(ann, "rename|ANN", isNow("ANN"))
        yield* asks(ann, `rename|ann#${secretOf("Ann")}`, isNow("ann"))
        yield* asks(ann, "/disown now", "*** 用法：/disown")
        yield* asks(ann, "rename|Carol", isNow("Carol"))
        yield* asks(bob, "rename|Ann", isOwned("Ann"))
        yield* asks(ann, "rename|Ann", isOwned("Ann"))
        yield* asks(ann, "/disown", "*** Carol 不归您所有")
        yield* asks(ann, `rename|Ann#${secretOf("Ann")}`, isNow("Ann"))
        yield* asks(bob, "rename|Carol", isNow("Carol"))
        yield* readsNothing(ann)
      }))

    it.scopedLive("has a secret that its owner changes, and nobody else", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        const ann = yield* come(port)
        const bob = yield* come(port, [ann])
        yield* asks(ann, "/secret of nobody", `*** ${ann.address} 不归您所有`)
        yield* asks(ann, "rename|Ann", isNow("Ann"))
        yield* asks(ann, "/secret of nobody", "*** Ann 不归您所有")
        yield* own(ann, "Ann")
        yield* asks(ann, "/secret", "*** 用法：/secret NEW")
        yield* asks(ann, "/secret 12345", badSecret)
        yield* asks(ann, "/secret another one", "*** 口令已更改")
        yield* asks(bob, `rename|Ann#${secretOf("Ann")}`, wrongSecret)
        yield* asks(bob, "rename|Ann#another one", `${called(ann, "Ann")}下线`, isNow("Ann"))
        yield* ann.sees("*** 您已在别处登录")
      }))

    it.scopedLive("is given up: whoever holds it keeps it, and then it is anybody's", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        const ann = yield* come(port)
        const bob = yield* come(port, [ann])
        yield* asks(ann, "/disown", `*** ${ann.address} 不归您所有`)
        yield* own(ann, "Ann")
        yield* asks(ann, "/disown", "*** Ann 不再归您所有")
        yield* asks(ann, "/disown", "*** Ann 不归您所有")
        yield* asks(bob, "rename|Ann", "当前用户名被使用")
        yield* asks(bob, `rename|Ann#${secretOf("Ann")}`, "当前用户名被使用")
        yield* asks(ann, "rename|Carol", isNow("Carol"))
        yield* own(bob, "Ann", "secret of Bob")
        yield* asks(ann, `rename|Ann#${secretOf("Ann")}`, wrongSecret)
      }))

    it.scopedLive("gets one owner, though two come for it at once with the same secret", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        const ann = yield* come(port, [], elsewhere())
        const bob = yield* come(port, [ann], elsewhere())
        const line = `rename|Zoe#${secretOf("Zoe")}`
        const [one, other] = yield* Effect.all([told(ann, line), told(bob, line)], { concurrency: 2 })
        const owned = [isNow("Zoe"), "*** Zoe 归您所有，口令可随时取回"]
        const first = one.length === 2 ? ann : bob
        assert.deepStrictEqual([one, other].toSorted((a, b) => b.length - a.length), [owned, [busy]])
        const second = first === ann ? bob : ann
        yield* asks(second, "/disown", `*** ${second.address} 不归您所有`)
        yield* asks(first, "/disown", "*** Zoe 不再归您所有")
      }))

    it.scopedLive("is not made where --max-owned of them are, until one is given up", () =>
      Effect.gen(function*() {
        const port = yield* open(place, { maxOwned: 1 })
        const ann = yield* come(port)
        const bob = yield* come(port, [ann])
        yield* own(ann, "Ann")
        yield* asks(bob, "rename|Bob#secret of Bob", "*** 暂不能登记更多用户名")
        yield* asks(bob, "rename|Bob", isNow("Bob"))
        yield* asks(bob, `rename|Ann#${secretOf("Bob")}`, wrongSecret)
        yield* asks(ann, "/disown", "*** Ann 不再归您所有")
        yield* own(bob, "Bob")
      }))

    it.scopedLive.skipIf(isOnNodes)(
      "is one of five that one address may come to own in a day",
      () =>
        Effect.gen(function*() {
          const port = yield* open(place)
          const ann = yield* come(port)
          for (const name of ["one", "two", "three", "four"]) yield* own(ann, name)
          const bob = yield* come(port, [ann])
          yield* own(bob, "five")
          // Given up, it counts all the same.
          yield* asks(bob, "/disown", "*** five 不再归您所有")
          yield* asks(bob, "rename|six#secret of six", "*** 暂不能登记更多用户名")
          yield* asks(ann, "rename|six#secret of six", "*** 暂不能登记更多用户名")
          const carl = yield* come(port, [ann, bob], elsewhere())
          yield* own(carl, "six")
          // What it owns it gets back.
          yield* asks(ann, `rename|one#${secretOf("one")}`, isNow("one"))
        })
    )
  })
}

describe("The owner of a name", () => {
  Hashing.cheaply()

  it.scopedLive("is told so in English", () =>
    Effect.gen(function*() {
      const port = yield* start({ rate: 0, lang: "en", maxOwned: 1 })
      const coming = (others: ReadonlyArray<Client>) =>
        Effect.tap(connect(port), ({ front }) =>
          Effect.forEach(others, (other) => other.sees(`${front}online`), { discard: true }))
      const ann = yield* coming([])
      yield* ann.sees(`${ann.front}online`)
      const bob = yield* coming([ann])
      yield* bob.sees(`${bob.front}online`)
      yield* asks(ann, "rename|Ann#short", "*** a secret has at least 6 characters and at most 128 bytes")
      yield* asks(ann, "/secret of nobody", `*** ${ann.address} is not yours`)
      yield* asks(ann, "/missed", "*** only for names with an owner")
      yield* asks(ann, "rename|Ann#secret", "your name is now:Ann", "*** Ann is yours, the secret gets it back")
      yield* asks(bob, "rename|Ann", "*** Ann has an owner, use rename|Ann#SECRET")
      yield* asks(bob, "rename|Ann#wrong one", "*** wrong secret")
      yield* asks(bob, "rename|system#secret", "*** that name is reserved")
      yield* asks(bob, "rename|Bob#secret", "*** no more names can be owned now")
      yield* asks(ann, "/secret number two", "*** secret changed")
      yield* asks(bob, "rename|Ann#number two", `${called(ann, "Ann")}offline`, "your name is now:Ann")
      yield* ann.sees("*** you came in from elsewhere")
      yield* ann.ended
      yield* asks(bob, "/disown", "*** Ann is not yours any more")
    }))

  it.scopedLive("is kept over a restart, with its secret and with what it gave up", () =>
    Effect.gen(function*() {
      const data = yield* file
      yield* Effect.scoped(Effect.gen(function*() {
        const ann = yield* come(yield* start({ rate: 0, data }))
        yield* own(ann, "old")
        yield* asks(ann, "/disown", "*** old 不再归您所有")
        yield* own(ann, "Zoe")
        yield* own(ann, "Ann")
        yield* asks(ann, "/secret number two", "*** 口令已更改")
      }))
      const port = yield* start({ rate: 0, data, maxOwned: 2 })
      const ann = yield* come(port)
      const bob = yield* come(port, [ann], elsewhere())
      yield* asks(ann, "rename|zoe", isOwned("zoe"))
      yield* asks(ann, `rename|Ann#${secretOf("Ann")}`, wrongSecret)
      yield* asks(ann, "rename|Ann#number two", isNow("Ann"))
      // They are counted.
      yield* asks(bob, "rename|old#secret of old", "*** 暂不能登记更多用户名")
      yield* asks(bob, "rename|old", isNow("old"))
      yield* asks(bob, `rename|Zoe#${secretOf("Zoe")}`, isNow("Zoe"))
    }))

  it.scopedLive("loses a name that was not used for --name-ttl, with all that was kept for it", () =>
    Effect.gen(function*() {
      const data = yield* file
      yield* Effect.scoped(Effect.gen(function*() {
        const port = yield* start({ rate: 0, data })
        const ann = yield* come(port)
        yield* own(ann, "Ann")
        yield* quit(ann)
        const bob = yield* come(port)
        yield* asks(bob, "to|Ann|for Ann only", "*** Ann 不在线，已留言")
      }))
      // What is stored is old for a server that keeps names for no longer than this.
      const port = yield* start({ rate: 0, data, nameTtl: Duration.millis(1) })
      const bob = yield* come(port, [], elsewhere())
      yield* within(
        "the end of a name",
        Effect.repeat(Effect.map(told(bob, "rename|Ann"), ([answer]) => answer), {
          until: (answer) => answer === isNow("Ann"),
          schedule: Schedule.spaced("10 millis")
        })
      )
      yield* asks(bob, "/nick Bob", isNow("Bob"))
      yield* asks(bob, "to|Ann|is anybody there?", "该用户名不存在")
      yield* own(bob, "Ann", "secret of Bob")
      yield* asks(bob, "/missed", "*** 还没有消息")
    }))

  // BUG: that a name was used is noted once a day at most, so one that is kept for less is lost though it is used.
  it.scoped("keeps a name for as long as that after it was used last, and no longer", () =>
    Effect.gen(function*() {
      const names = yield* OwnedNames
      const { owners } = yield* Records
      yield* Effect.forkScoped(names.expiring)
      const ann = yield* Peer.make
      yield* Effect.forkScoped((yield* Session.make)(ann.connection, new Pace(0, 1), "plain"))
      yield* ann.type(`rename|Ann#${secretOf("Ann")}\n`)
      yield* Effect.iterate("", { while: (line) => line !== "*** Ann 归您所有，口令可随时取回", body: () => ann.line })
      const isKept = Effect.map(owners.get(nameKey("Ann")), Option.isSome)
      // Whoever holds it keeps it.
      yield* TestClock.adjust("13 hours")
      assert.isTrue(yield* isKept)
      yield* ann.type("/quit\n")
      yield* Effect.repeat(TestClock.adjust("1 second"), { until: () => ann.closed() !== undefined })
      yield* TestClock.adjust("11 hours")
      assert.isTrue(yield* isKept, "it was used 11 hours ago")
      yield* TestClock.adjust("2 hours")
      assert.isFalse(yield* isKept)
      assert.isFalse(World.isOwned(yield* yield* OnlineMap, "Ann"))
    }).pipe(Effect.provide(chat({ settings: { nameTtl: Duration.hours(12) } }))))
})

// Each node counts for itself.
describe.skipIf(isOnNodes)("Whoever guesses at secrets", () => {
  Hashing.cheaply()

  it.scopedLive(
    "is not heard after ten wrong ones for a name in an hour, nor after thirty; others are",
    () =>
      Effect.gen(function*() {
        const port = yield* open(places[0]!)
        const owner = yield* come(port, [], elsewhere())
        const names = ["Ann", "Bob", "Carol", "Dave"]
        for (const name of names) yield* own(owner, name)
        const eve = yield* come(port, [owner])
        const right = (name: string) => `rename|${name}#${secretOf(name)}`
        const guesses = (name: string, count: number) =>
          Array.from({ length: count }, (_, n) => `rename|${name}#wrong secret ${n}`)
        assert.deepStrictEqual(yield* told(eve, ...guesses("Ann", 9)), Array(9).fill(wrongSecret))
        // What is right does not count.
        yield* asks(eve, right("Ann"), isNow("Ann"))
        assert.deepStrictEqual(yield* told(eve, ...guesses("ANN", 3)), [wrongSecret, busy, busy])
        yield* asks(eve, right("Ann"), busy)
        // Another connection makes no difference, another address does.
        const other = yield* come(port, [owner, eve])
        yield* asks(other, right("Ann"), busy)
        const far = yield* come(port, [owner, eve, other], elsewhere())
        yield* asks(far, right("Ann"), `${called(eve, "Ann")}下线`, isNow("Ann"))
        const lines = yield* told(other, ...guesses("Bob", 10), ...guesses("Carol", 10))
        assert.deepStrictEqual(lines, [`${called(eve, "Ann")}下线`, ...Array(20).fill(wrongSecret)])
        yield* asks(other, right("Bob"), busy)
        yield* asks(other, right("Dave"), busy)
        yield* asks(far, right("Carol"), isNow("Carol"))
      }),
    { timeout: 60_000 }
  )
})

describe.skipIf(isOnNodes)("Whoever has secrets hashed", () => {
  // BUG: what is wrong is counted once it was hashed, so two connections that guess at once get one guess more.
  it.scopedLive("gets ten guesses at a name, though two connections guess at once", () =>
    Effect.gen(function*() {
      const port = yield* open(places[0]!)
      const owner = yield* come(port, [], elsewhere())
      yield* own(owner, "Ann")
      const [one, other] = [yield* come(port), yield* come(port)]
      yield* until(one, `${other.front}已上线`)
      const guesses = Array.from({ length: 6 }, (_, n) => `rename|Ann#wrong secret ${n}`)
      const answers = yield* Effect.all([told(one, ...guesses), told(other, ...guesses)], { concurrency: 2 })
      const all = answers.flat()
      assert.deepStrictEqual(all.toSorted(), [...Array(10).fill(wrongSecret), busy, busy].toSorted())
    }))

  it.scopedLive("has two secrets hashed at once, while those of other addresses take their turn", () =>
    Effect.gen(function*() {
      const port = yield* open(places[0]!)
      const near = yield* Effect.replicateEffect(connect(port), 4)
      const far = [yield* connect(port, elsewhere()), yield* connect(port, elsewhere())]
      for (const client of [...near, ...far]) yield* until(client, `${far[1]!.front}已上线`)
      const answers = yield* Effect.forEach(
        [...near, ...far],
        (client, n) => told(client, `rename|name${n}#secret of it`),
        { concurrency: "unbounded" }
      )
      const outcomes = answers.map((lines) => lines.length === 2 ? "owned" : lines[0])
      assert.deepStrictEqual(outcomes, ["owned", "owned", busy, busy, "owned", "owned"])
      yield* own(near[2]!, "name2")
    }))

  it.scopedLive("has no more of them made, nor waiting, by going before they are; others still wait their turn", () =>
    Effect.gen(function*() {
      const port = yield* open(places[0]!)
      const witness = yield* come(port, [], elsewhere())
      const [near, far] = [elsewhere(), elsewhere()]
      const hashing = yield* Hashing.held
      const asking = (name: string, from: Options) =>
        Effect.tap(come(port, [witness], from), (client) =>
          Effect.zipRight(
            client.send(`here\nrename|${name}#${secretOf(name)}\n`),
            witness.sees(`${client.front}here`)
          ))
      const goes = (client: Client) => Effect.zipRight(client.reset, witness.sees(`${client.front}下线`))
      const two = [yield* asking("one", near), yield* asking("two", near)]
      yield* within("two hashes", Effect.repeat(Effect.sleep("1 millis"), { until: () => hashing.begun() === 2 }))
      // Nobody's end waits for them.
      yield* Effect.forEach(two, goes)
      const third = yield* come(port, [witness], near)
      yield* asks(third, `rename|three#${secretOf("three")}`, busy)
      // Those who only waited have left nothing behind.
      const waiting = [yield* asking("four", far), yield* asking("five", far)]
      yield* Effect.forEach(waiting, goes)
      const last = yield* asking("six", far)
      assert.strictEqual(hashing.begun(), 2)
      yield* hashing.free
      yield* until(last, isNow("six"))
      yield* third.send(`rename|three#${secretOf("three")}\n`)
      yield* until(third, isNow("three"))
    }))
})
