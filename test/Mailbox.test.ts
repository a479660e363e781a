/** Private messages for owners who are not here: kept, handed over, deleted, and never lost in between. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Mailbox from "../src/chat/Mailbox.ts"
import { Records } from "../src/chat/Records.ts"
import { Address } from "../src/domain/Address.ts"
import { Name, nameKey } from "../src/domain/Name.ts"
import * as MemoryLog from "../src/log/MemoryLog.ts"
import { bundled, port } from "./support/child.ts"
import { arrive, type Client, connect } from "./support/client.ts"
import { folder } from "./support/engines.ts"
import * as Hashing from "./support/hashing.ts"
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
  timeless,
  told,
  until
} from "./support/people.ts"
import { start } from "./support/server.ts"

const full = (name: string) => `*** ${name} 的留言已满`
const isKept = (name: string) => `*** ${name} 不在线，已留言`
const isNow = (name: string) => `您已经更新用户名:${name}`

/** So many private lines, numbered. */
const letters = (name: string, count: number, text = "letter") =>
  Array.from({ length: count }, (_, n) => `to|${name}|${text} ${n}`)

/** How its owner reads them. */
const lettersOf = (sender: string, count: number, text = "letter") =>
  Array.from({ length: count }, (_, n) => `*** TIME ${sender}对您说:${text} ${n}`)

/** Takes its name, and says nothing. Gives what it reads up to the last line that comes of it. */
const takes = (owner: Client, name: string, count: number) =>
  Effect.gen(function*() {
    yield* owner.send(`rename|${name}#${secretOf(name)}\n`)
    yield* owner.sees(isNow(name))
    return timeless(yield* Effect.replicateEffect(owner.line, count))
  })

/** A name whose owner has gone. */
const owned = (port: number, ...names: ReadonlyArray<string>) =>
  Effect.scoped(Effect.gen(function*() {
    const owner = yield* come(port, [], elsewhere())
    for (const name of names) yield* own(owner, name)
    yield* quit(owner)
  }))

for (const place of places) {
  describe(`A message for an owner who is not here, kept ${place.name}`, () => {
    Hashing.cheaply()

    it.scopedLive("is told to be kept, and handed over when the name is taken, oldest first", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        yield* owned(port, "Ann")
        const bob = yield* come(port)
        yield* asks(bob, "/nick Bob", isNow("Bob"))
        const others = yield* come(port, [bob])
        assert.deepStrictEqual(yield* told(bob, ...letters("Ann", 8)), Array(8).fill(isKept("Ann")))
        yield* asks(bob, "/msg ANN  with  blanks | and bars ", isKept("Ann"))
        yield* readsNothing(others)
        yield* asks(others, "to|ann|hi", isKept("Ann"))
        const ann = yield* come(port, [bob, others])
        assert.deepStrictEqual(yield* takes(ann, "Ann", 10), [
          ...lettersOf("Bob", 8),
          "*** TIME Bob对您说:with  blanks | and bars ",
          `*** TIME ${others.address}对您说:hi`
        ])
        yield* readsNothing(ann)
        // Now it is here.
        yield* asks(bob, "to|Ann|hello")
        yield* ann.sees("Bob对您说:hello")
        yield* readsNothing(others)
      }))

    it.scopedLive("is for a name as it was written when it became owned, however it is typed, and called later", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        const ann = yield* come(port)
        yield* own(ann, "Ann")
        yield* asks(ann, "rename|ANN", isNow("ANN"))
        yield* asks(ann, "/secret another one", "*** 口令已更改")
        yield* quit(ann)
        const bob = yield* come(port)
        yield* asks(bob, "to|Ａ\u200bnn|letter", isKept("Ann"))
      }))

    it.scopedLive("is deleted once the owner was heard of after it was taken, and not before", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        yield* owned(port, "Ann")
        const bob = yield* come(port)
        yield* asks(bob, "to|Ann|letter 0", isKept("Ann"))
        const coming = Effect.gen(function*() {
          const ann = yield* come(port, [bob])
          return { ann, kept: yield* takes(ann, "Ann", 1) }
        })
        const letter = lettersOf(bob.address, 1)
        for (const _ of [1, 2]) {
          const { ann, kept } = yield* coming
          assert.deepStrictEqual(kept, letter)
          yield* ann.reset
          yield* bob.sees(`${called(ann, "Ann")}下线`)
        }
        // Whoever takes the name from a connection that was not heard of is told as well.
        const ghost = yield* coming
        assert.deepStrictEqual(ghost.kept, letter)
        const ann = yield* come(port, [bob, ghost.ann])
        yield* ann.send(`rename|Ann#${secretOf("Ann")}\n`)
        yield* ann.sees(`${called(ghost.ann, "Ann")}下线`, isNow("Ann"))
        assert.deepStrictEqual(timeless([yield* ann.line]), letter)
        yield* ann.send("thank you\n")
        yield* ann.sees(`${called(ann, "Ann")}thank you`)
        yield* ann.reset
        yield* bob.sees(
          `${called(ghost.ann, "Ann")}下线`,
          `${called(ann, "Ann")}thank you`,
          `${called(ann, "Ann")}下线`
        )
        const last = yield* come(port, [bob])
        yield* asks(last, `rename|Ann#${secretOf("Ann")}`, isNow("Ann"))
      }))

    it.scopedLive("is deleted at an orderly end", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        yield* owned(port, "Ann")
        const bob = yield* come(port)
        yield* asks(bob, "to|Ann|letter 0", isKept("Ann"))
        const ann = yield* come(port, [bob])
        yield* ann.send(`rename|Ann#${secretOf("Ann")}\n`)
        yield* ann.end
        yield* ann.sees(isNow("Ann"))
        assert.deepStrictEqual(timeless([yield* ann.line]), lettersOf(bob.address, 1))
        yield* ann.ended
        yield* bob.sees(`${called(ann, "Ann")}下线`)
        const again = yield* come(port, [bob])
        yield* asks(again, `rename|Ann#${secretOf("Ann")}`, isNow("Ann"))
      }))

    // BUG: fails now and then in memory, where several come in one millisecond; see the test of Mailbox below.
    it.scopedLive("is one of ten of an address, and of a hundred of all", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        yield* owned(port, "Ann")
        const bob = yield* come(port)
        for (let sender = 0; sender < 10; sender++) {
          const client = yield* come(port, [bob], elsewhere())
          const answers = yield* told(client, ...letters("Ann", 11, `from ${sender}:`))
          const overfull = sender < 10 ? [...Array(10).fill(isKept("Ann")), full("Ann")] : []
          assert.deepStrictEqual(answers, overfull)
          yield* quit(client)
          yield* bob.sees(`${client.front}下线`)
        }
        yield* asks(bob, "to|ann|one too many", full("Ann"))
        // An empty one is that first.
        yield* asks(bob, "to|Ann| \t", "无消息内容，请重发")
        const ann = yield* come(port, [bob])
        const kept = yield* takes(ann, "Ann", 100)
        assert.deepStrictEqual(
          kept.map((line) => line.replace(/^.*:from/, "from")),
          Array.from({ length: 100 }, (_, n) => `from ${Math.floor(n / 10)}: ${n % 10}`)
        )
        yield* readsNothing(ann)
        yield* quit(ann)
        yield* bob.sees(`${called(ann, "Ann")}下线`)
        yield* asks(bob, "to|Ann|there is room again", isKept("Ann"))
      }))

    it.scopedLive("is one of fifty of an address in a day", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        const names = ["one", "two", "three", "four", "five"]
        yield* owned(port, ...names)
        yield* owned(port, "six")
        const bob = yield* come(port)
        for (const name of names) {
          assert.deepStrictEqual(yield* told(bob, ...letters(name, 10)), Array(10).fill(isKept(name)))
        }
        yield* asks(bob, "to|six|one too many", "*** 服务器忙，请稍后再试")
        const carl = yield* come(port, [bob], elsewhere())
        yield* asks(carl, "to|six|hi", isKept("six"))
      }))

    it.scopedLive("is refused where there is no owner, no name or no text", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        yield* owned(port, "Ann")
        const bob = yield* come(port)
        yield* asks(bob, "to|nobody|hi", "该用户名不存在")
        yield* asks(bob, "to|nobody|", "该用户名不存在")
        yield* asks(bob, "to||hi", "消息格式不正确，请使用 \"to|张三|你好啊\"格式。")
        yield* asks(bob, "to|Ann", "消息格式不正确，请使用 \"to|张三|你好啊\"格式。")
        yield* asks(bob, "to|Ann|", "无消息内容，请重发")
        yield* asks(bob, "/to Ann \u3000", "无消息内容，请重发")
        const ann = yield* come(port, [bob])
        yield* asks(ann, `rename|Ann#${secretOf("Ann")}`, isNow("Ann"))
      }))

    it.scopedLive("waits for the name, whatever its owner is called meanwhile, and goes with it when it is given up", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        const ann = yield* come(port)
        const bob = yield* come(port, [ann])
        yield* own(ann, "Ann")
        yield* asks(ann, "/nick Carol", isNow("Carol"))
        yield* asks(bob, "to|Ann|letter 0", isKept("Ann"))
        yield* asks(bob, "to|Carol|hi")
        yield* ann.sees(`${bob.address}对您说:hi`)
        assert.deepStrictEqual(yield* takes(ann, "Ann", 1), lettersOf(bob.address, 1))
        yield* asks(ann, "/nick Carol", isNow("Carol"))
        yield* asks(bob, "to|Ann|letter 1", isKept("Ann"))
        // Given up before anything of it can be read.
        yield* ann.send(`rename|Ann#${secretOf("Ann")}\n/disown\n/nick Carol\n`)
        const lines = timeless(yield* until(ann, isNow("Carol")))
        assert.includeMembers(lines, [isNow("Ann"), "*** Ann 不再归您所有"])
        yield* asks(bob, "to|Ann|hi", "该用户名不存在")
        yield* own(bob, "Ann", "secret of Bob")
      }))
  })
}

describe("A message that is kept", () => {
  Hashing.cheaply()

  it.scopedLive("is told in English", () =>
    Effect.gen(function*() {
      const port = yield* start({ rate: 0, lang: "en" })
      const ann = yield* arriveInEnglish(port)
      yield* told(ann, "rename|Ann#secret")
      yield* quit(ann)
      const bob = yield* arriveInEnglish(port)
      yield* asks(bob, "to|Ann|letter", "*** Ann is offline, the message is kept")
      yield* told(bob, ...letters("Ann", 9))
      yield* asks(bob, "to|Ann|letter", "*** the mailbox of Ann is full")
      const again = yield* arriveInEnglish(port)
      yield* again.send("rename|Ann#secret\n")
      yield* again.sees("your name is now:Ann")
      assert.deepStrictEqual(timeless([yield* again.line]), [`*** TIME ${bob.address} to you:letter`])
    }))

  it.scopedLive("is kept over a restart, and counted", () =>
    Effect.gen(function*() {
      const data = yield* file
      const sender = yield* Effect.scoped(Effect.gen(function*() {
        const port = yield* start({ rate: 0, data })
        yield* owned(port, "Ann")
        const bob = yield* come(port)
        yield* told(bob, ...letters("Ann", 9))
        return bob.address
      }))
      const port = yield* start({ rate: 0, data })
      const bob = yield* come(port)
      yield* asks(bob, "to|Ann|the tenth", isKept("Ann"))
      yield* asks(bob, "to|Ann|the eleventh", full("Ann"))
      const ann = yield* come(port)
      assert.deepStrictEqual(yield* takes(ann, "Ann", 10), [
        ...lettersOf(sender, 9),
        `*** TIME ${bob.address}对您说:the tenth`
      ])
    }))
})

const arriveInEnglish = (port: number) => Effect.tap(connect(port), (client) => until(client, `${client.front}online`))

const mailbox = Mailbox.Mailbox.layer.pipe(
  Layer.provide(Records.layer),
  Layer.provide(MemoryLog.layer),
  Layer.orDie
)

const letter = (origin: string, text = "hi", at = 0) => ({
  from: { address: Address(`${origin}:4000`), name: Name("Bob") },
  to: "Ann",
  text,
  at,
  origin
})

const [ann, zoe] = [nameKey("Ann"), nameKey("Zoe")]

describe("Mailbox", () => {
  it.effect("keeps a message for thirty days, which then takes no room", () =>
    Effect.gen(function*() {
      const box = yield* Mailbox.Mailbox
      for (let n = 0; n < 10; n++) assert.isObject(yield* box.keep(ann, letter("a"), undefined))
      yield* TestClock.adjust("29 days")
      assert.lengthOf(yield* box.list(ann), 10)
      assert.strictEqual(yield* box.keep(ann, letter("a", "hi", Mailbox.messageLife), undefined), "full")
      yield* TestClock.adjust("25 hours")
      assert.isObject(yield* box.keep(ann, letter("a", "hi", Mailbox.messageLife), undefined))
      assert.lengthOf(yield* box.list(ann), 1)
    }).pipe(Effect.provide(mailbox)))

  it.effect("keeps messages of 64 MiB in all", () =>
    Effect.gen(function*() {
      const box = yield* Mailbox.Mailbox
      const long = "x".repeat(1_048_576)
      let kept = 0
      for (; kept < 100; kept++) {
        const name = nameKey(`name${kept}`)
        if ((yield* box.keep(name, letter(`origin ${kept}`, long), undefined)) === "full") break
      }
      assert.strictEqual(kept, 63)
      // What is left of it is less than one of those.
      assert.isObject(yield* box.keep(zoe, letter("a"), undefined))
      yield* box.clear(nameKey("name0"))
      assert.isObject(yield* box.keep(zoe, letter("a", long), undefined))
    }).pipe(Effect.provide(mailbox)))

  it.effect("gives messages in the order in which they came, also within a millisecond, and one name only its own", () =>
    Effect.gen(function*() {
      const box = yield* Mailbox.Mailbox
      const texts = Array.from({ length: 9 }, (_, n) => `letter ${n}`)
      for (const text of texts) yield* box.keep(ann, letter("a", text), undefined)
      yield* box.keep(zoe, letter("a", "for Zoe"), undefined)
      yield* box.keep(nameKey("Ann2"), letter("a", "for another Ann"), undefined)
      // BUG: those of one millisecond are in the order of their random keys.
      assert.deepStrictEqual((yield* box.list(ann)).map(({ value }) => value.text), texts)
      assert.deepStrictEqual((yield* box.list(zoe)).map(({ value }) => value.text), ["for Zoe"])
    }).pipe(Effect.provide(mailbox)))

  it.effect("opens for an address again after a day", () =>
    Effect.gen(function*() {
      const box = yield* Mailbox.Mailbox
      for (let n = 0; n < 50; n++) {
        assert.isObject(yield* box.keep(nameKey(`name${n % 5}`), letter("a"), undefined))
      }
      assert.strictEqual(yield* box.keep(zoe, letter("a"), undefined), "busy")
      assert.isObject(yield* box.keep(zoe, letter("b"), undefined))
      yield* TestClock.adjust("24 hours")
      assert.isObject(yield* box.keep(zoe, letter("a"), undefined))
    }).pipe(Effect.provide(mailbox)))
})

const seed = Number(process.env["KILL_SEED"] ?? Math.floor(Math.random() * 2 ** 31))
const moments = (max: number, count: number) =>
  FastCheck.sample(FastCheck.integer({ min: 0, max }), { numRuns: count, seed })

const serve = (file: string) => bundled(["--port", "0", "--rate", "0", "--data", file])

/** All lines that a client has read by the end of its connection. */
const readBy = (client: Client) => {
  const lines: Array<string> = []
  let rest = ""
  client.socket.removeAllListeners("data").setEncoding("utf8").on("data", (text: string) => {
    const parts = `${rest}${text}`.split("\n")
    rest = parts.pop() ?? ""
    lines.push(...parts)
  })
  return lines
}

const textOf = (line: string) => /^\*\*\* .*对您说:(.*)$/.exec(line)?.[1]

describe("A server that is killed", () => {
  it.live(
    "has lost no message between any two steps, and hands none over again that was answered",
    () =>
      Effect.scoped(Effect.gen(function*() {
        const name = `${yield* folder}/tellnet.db`
        /** A start that ends with a kill. */
        const life = <A>(live: (port: number) => Effect.Effect<A, never, Scope.Scope>) =>
          Effect.scoped(Effect.gen(function*() {
            const tellnet = yield* serve(name)
            const result = yield* live(yield* port(tellnet))
            yield* tellnet.signal("SIGKILL")
            yield* tellnet.over
            return result
          }))
        const sender = yield* life((port) =>
          Effect.gen(function*() {
            const ann = yield* arrive(port)
            yield* own(ann, "Ann")
            yield* ann.send("/quit\n")
            yield* ann.ended
            const bob = yield* arrive(port)
            yield* bob.send(`${letters("Ann", 3).join("\n")}\n`)
            yield* bob.sees(...Array(3).fill(isKept("Ann")))
            return bob.address
          })
        )
        const taking = (count: number) => (port: number) =>
          Effect.flatMap(arrive(port), (ann) => takes(ann, "Ann", count))
        assert.deepStrictEqual(yield* life(taking(3)), lettersOf(sender, 3))
        yield* life((port) =>
          Effect.gen(function*() {
            const ann = yield* arrive(port)
            assert.deepStrictEqual(yield* takes(ann, "Ann", 3), lettersOf(sender, 3), "it was killed before an answer")
            yield* ann.send("thank you\n")
            yield* ann.sees(`${called(ann, "Ann")}thank you`)
          })
        )
        yield* life((port) =>
          Effect.gen(function*() {
            const ann = yield* arrive(port)
            yield* ann.send(`rename|Ann#${secretOf("Ann")}\nnothing before this\n`)
            const lines = yield* until(ann, `${called(ann, "Ann")}nothing before this`)
            assert.deepStrictEqual(lines.filter((line) => textOf(line) !== undefined), [])
          })
        )
      })),
    { timeout: 60_000 }
  )

  it.live(
    `keeps what was told to be kept until its owner has read it (KILL_SEED=${seed})`,
    () =>
      Effect.scoped(Effect.gen(function*() {
        const file = `${yield* folder}/tellnet.db`
        const mayBeKept = new Set<string>()
        const mustBeKept = new Set<string>()
        let number = 0
        for (const [round, moment] of moments(250, 6).entries()) {
          yield* Effect.scoped(Effect.gen(function*() {
            const tellnet = yield* serve(file)
            const listening = yield* port(tellnet)
            const ann = yield* arrive(listening)
            if (round === 0) {
              yield* own(ann, "Ann")
              yield* quit(ann)
            }
            const bob = yield* arrive(listening)
            if (round > 0) yield* ann.sees(`${bob.front}已上线`)
            const told = readBy(bob)
            const sent: Array<string> = []
            const writing = yield* Effect.fork(Effect.forEach(Array.from({ length: 6 }), () =>
              Effect.zipRight(
                Effect.sync(() => {
                  sent.push(`letter ${++number}`)
                  bob.socket.write(`to|Ann|letter ${number}\n`)
                }),
                Effect.sleep(10)
              )))
            // She answers as soon as she has read all that was there when she came.
            const read = readBy(ann)
            const size = mustBeKept.size
            let answered = false
            const answering = yield* Effect.fork(Effect.gen(function*() {
              if (round % 2 === 0) return
              ann.socket.write(`rename|Ann#${secretOf("Ann")}\n`)
              while (read.filter((line) => textOf(line) !== undefined).length < Math.max(1, size)) {
                yield* Effect.sleep(1)
              }
              answered = true
              ann.socket.write("thank you\n")
            }))
            yield* Effect.sleep(moment)
            yield* tellnet.signal("SIGKILL")
            yield* tellnet.over
            yield* Fiber.interruptAll([writing, answering])
            yield* Effect.all([bob.ended, ...round > 0 ? [ann.ended] : []])
            // They are answered in order; those that are read at once are not told to be kept.
            const answers = told.filter((line) => line === isKept("Ann")).length
            for (const text of sent) mayBeKept.add(text)
            const direct = new Set(
              read.filter((line) => line.startsWith(`${bob.address}对您说:`)).map((line) => line.split(":").at(-1)!)
            )
            // An answer is for all that she was sent before it, also for what she had not read yet.
            if (!answered) {
              for (const text of sent.filter((text) => !direct.has(text)).slice(0, answers)) mustBeKept.add(text)
            }
            const kept = read.map(textOf).filter((text) => text !== undefined)
            if (read.includes(isNow("Ann"))) {
              assert.strictEqual(new Set(kept).size, kept.length, "none twice")
              for (const text of kept) assert.isTrue(mayBeKept.has(text), "was sent")
            }
            // What she has read may be gone; it is hers to answer.
            for (const text of kept) mustBeKept.delete(text)
          }))
        }
        yield* Effect.scoped(Effect.gen(function*() {
          const tellnet = yield* serve(file)
          const ann = yield* arrive(yield* port(tellnet))
          yield* ann.send(`rename|Ann#${secretOf("Ann")}\nthat is all\n`)
          const kept = (yield* until(ann, `${called(ann, "Ann")}that is all`)).map(textOf)
          for (const text of mustBeKept) assert.include(kept, text)
          const numbers = kept.flatMap((text) => text === undefined ? [] : [Number(text.split(" ")[1])])
          assert.deepStrictEqual(numbers, numbers.toSorted((one, other) => one - other), "in their order")
        }))
      })),
    { timeout: 60_000 }
  )

  it.live(
    `hands nothing over to another owner, once the name was given up (KILL_SEED=${seed})`,
    () =>
      Effect.scoped(Effect.gen(function*() {
        const file = `${yield* folder}/tellnet.db`
        const rounds = moments(40, 5)
        for (let round = 0; round <= rounds.length; round++) {
          const moment = rounds[round]
          const [name, before] = [`Ann${round}`, `Ann${round - 1}`]
          yield* Effect.scoped(Effect.gen(function*() {
            const tellnet = yield* serve(file)
            const listening = yield* port(tellnet)
            const eve = yield* come(listening, [], elsewhere())
            if (round > 0) {
              // It is Ann's still, or free, or already Eve's.
              const [answer, ...lines] = yield* told(eve, `rename|${before}#secret of Eve`)
              assert.include(["*** 口令不对", isNow(before)], answer)
              assert.deepStrictEqual(lines.filter((line) => textOf(line) === "for Ann only"), [])
            }
            if (moment === undefined) return
            const ann = yield* come(listening, [eve], elsewhere())
            yield* own(ann, name, "secret of Ann")
            yield* asks(ann, "/nick Carol", isNow("Carol"))
            yield* asks(eve, `to|${name}|for Ann only`, isKept(name))
            yield* ann.send(`rename|${name}#secret of Ann\n`)
            yield* ann.sees(isNow(name))
            // All at once: it is given up, somebody writes to it, and takes it.
            yield* ann.send("/disown\n/nick Carol\n")
            yield* eve.send(`to|${name}|for Ann only\n`.repeat(5) + `rename|${name}#secret of Eve\n`)
            yield* Effect.sleep(moment)
            yield* tellnet.signal("SIGKILL")
            yield* tellnet.over
          }))
        }
      })),
    { timeout: 60_000 }
  )
})
