/** Whom somebody ignores, on a real server: what is not shown, to whom, and for how long. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Client, connect } from "./support/client.ts"
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

const noSuchUser = "该用户名不存在"
const isNow = (name: string) => `您已经更新用户名:${name}`
const isIgnored = (name: string) => `*** 已屏蔽 ${name}`
const isSeen = (name: string) => `*** 已取消屏蔽 ${name}`

/** Says something, and waits until it is said. */
const says = (client: Client, text: string) =>
  Effect.zipRight(client.send(`${text}\n`), until(client, new RegExp(`^\\[.*:${text}$`)))

/** Ann, who ignores nobody yet, Bob who is nice, and Mallory. */
const three = (port: number) =>
  Effect.gen(function*() {
    const ann = yield* come(port, [], elsewhere())
    const bob = yield* come(port, [ann])
    const mallory = yield* come(port, [ann, bob])
    yield* asks(mallory, "/nick Mallory", isNow("Mallory"))
    return { ann, bob, mallory }
  })

Hashing.cheaply()

for (const place of places) {
  describe(`Somebody who is ignored, kept ${place.name}`, () => {
    it.scopedLive("is not heard by whoever ignores it, in public, in private and in old lines; others hear it", () =>
      Effect.gen(function*() {
        const port = yield* open(place, { replay: 5 })
        const { ann, bob, mallory } = yield* three(port)
        yield* says(mallory, "before")
        yield* ann.sees(`${called(mallory, "Mallory")}before`)
        yield* asks(ann, "/ignore", "*** 没有屏蔽任何人")
        yield* asks(ann, "/ignore ＭALLORY", isIgnored("Mallory"))
        yield* asks(ann, "/ignore", "*** Mallory")
        yield* says(mallory, "spam")
        yield* says(bob, "ham")
        // She is told nothing of it.
        yield* asks(mallory, `to|${ann.address}|spam`, `${bob.front}ham`)
        yield* asks(bob, `to|${ann.address}|ham`)
        assert.deepStrictEqual(yield* told(ann), [`${bob.front}ham`, `${bob.address}对您说:ham`])
        const old = timeless(yield* told(ann, "/history"))
        assert.deepStrictEqual(old, [`*** TIME ${bob.front}ham`])
        // Nor does it see old lines of hers where it goes.
        yield* told(mallory, "/join dev", "spam in dev")
        yield* told(bob, "/join dev", "ham in dev")
        yield* told(ann)
        const arrival = timeless(yield* told(ann, "/join dev"))
        assert.deepStrictEqual(arrival, [`${ann.front}来到 #dev`, `*** TIME ${bob.front}ham in dev`])
        const history = timeless(yield* told(bob, "/history"))
        assert.includeMembers(history, [`*** TIME ${called(mallory, "Mallory")}spam in dev`])
        yield* told(mallory)
        yield* asks(mallory, "/ignore", "*** 没有屏蔽任何人")
      }))

    it.scopedLive("is still seen to come, to go and to be there", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        const { ann, mallory } = yield* three(port)
        yield* asks(ann, "/ignore Mallory", isIgnored("Mallory"))
        const front = called(mallory, "Mallory")
        yield* told(mallory, "/join dev", "/leave")
        assert.deepStrictEqual(yield* told(ann), [`${front}去了 #dev`, `${front}来到 #lobby`])
        assert.include(yield* told(ann, "who"), `${front}在线...`)
        yield* quit(mallory)
        assert.deepStrictEqual(yield* told(ann), [`${front}下线`])
      }))

    it.scopedLive("is the connection, whatever it is called later, and not whoever is called so then", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        const { ann, bob, mallory } = yield* three(port)
        yield* asks(ann, "/ignore Mallory", isIgnored("Mallory"))
        yield* asks(mallory, "/nick Nice", isNow("Nice"))
        yield* asks(bob, "/nick Mallory", isNow("Mallory"))
        yield* says(mallory, "spam")
        yield* says(bob, "ham")
        assert.deepStrictEqual(yield* told(ann), [`${called(bob, "Mallory")}ham`])
        // Found by what it is called now; or was then.
        yield* asks(ann, "/unignore nice", isSeen("Mallory"))
        yield* asks(ann, "/unignore nice", noSuchUser)
        yield* says(mallory, "heard")
        assert.deepStrictEqual(yield* told(ann), [`${called(mallory, "Nice")}heard`])
        yield* asks(ann, "/ignore Nice", isIgnored("Nice"))
        yield* quit(mallory)
        yield* ann.sees(`${called(mallory, "Nice")}下线`)
        yield* asks(ann, "/unignore nice", isSeen("Nice"))
        yield* asks(ann, "/ignore", "*** 没有屏蔽任何人")
        // Nobody had the name for good.
        const again = yield* come(port, [ann])
        yield* asks(again, "/nick Nice", isNow("Nice"))
        yield* says(again, "hello")
        assert.deepStrictEqual(yield* told(ann), [`${called(again, "Nice")}hello`])
      }))

    it.scopedLive("is the owner of the name as well, who comes again and is ignored again", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        const { ann, bob, mallory } = yield* three(port)
        yield* own(mallory, "Eve")
        yield* asks(ann, "/ignore Eve", isIgnored("Eve"))
        yield* quit(mallory)
        yield* told(ann)
        const again = yield* come(port, [ann])
        yield* says(again, "not known yet")
        assert.include(yield* told(again, `rename|Eve#${secretOf("Eve")}`), isNow("Eve"))
        yield* says(again, "spam")
        yield* asks(again, `to|${ann.address}|spam`)
        assert.deepStrictEqual(yield* told(ann), [`${again.front}not known yet`])
        assert.include(yield* told(bob), `${called(again, "Eve")}spam`)
        assert.notInclude(timeless(yield* told(ann, "/history")).join(), "spam")
        yield* asks(ann, "/unignore EVE", isSeen("Eve"))
        yield* says(again, "heard")
        assert.deepStrictEqual(yield* told(ann), [`${called(again, "Eve")}heard`])
        // Somebody who is not here can be ignored if the name has an owner.
        yield* quit(again)
        yield* told(ann)
        yield* asks(ann, "/ignore eve", isIgnored("Eve"))
        yield* asks(ann, "/ignore nobody", noSuchUser)
      }))

    // BUG: what is kept for an owner is handed over whoever wrote it.
    it.scopedLive("is not heard in messages that it left, while others' are handed over", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        const { ann, bob, mallory } = yield* three(port)
        yield* own(ann, "Ann")
        yield* own(mallory, "Eve")
        yield* asks(ann, "/ignore Eve", isIgnored("Eve"))
        // Whoever is ignored twice is ignored once, but what is stored is up to date then.
        yield* asks(ann, "/ignore Eve", isIgnored("Eve"))
        yield* asks(ann, "/nick Carol", isNow("Carol"))
        yield* asks(mallory, "to|Ann|spam", "*** Ann 不在线，已留言")
        yield* asks(bob, "to|Ann|ham", "*** Ann 不在线，已留言")
        const kept = timeless(yield* told(ann, `rename|Ann#${secretOf("Ann")}`))
        assert.deepStrictEqual(kept, [isNow("Ann"), `*** TIME ${bob.address}对您说:ham`])
        yield* asks(ann, "/nick Carol", isNow("Carol"))
        yield* asks(mallory, "to|Ann|spam", "*** Ann 不在线，已留言")
        yield* quit(ann)
        yield* told(bob)
        const again = yield* come(port, [bob])
        assert.deepStrictEqual(yield* told(again, `rename|Ann#${secretOf("Ann")}`), [isNow("Ann")])
      }))

    // BUG: what is stored is the list as it was before, because the broadcaster has not changed it yet.
    it.scopedLive("is ignored for good by the owner of a name, if it owns its own; also in what was missed", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        const { ann, bob, mallory } = yield* three(port)
        yield* own(ann, "Ann")
        yield* own(mallory, "Eve")
        yield* says(bob, "seen")
        yield* ann.sees(`${bob.front}seen`)
        yield* asks(ann, "/ignore Eve", isIgnored("Eve"))
        yield* quit(ann)
        yield* until(bob, `${called(ann, "Ann")}下线`)
        yield* says(mallory, "spam")
        yield* says(bob, "ham")
        const again = yield* come(port, [bob])
        yield* told(again, `rename|Ann#${secretOf("Ann")}`)
        yield* asks(again, "/ignore", "*** Eve")
        assert.deepStrictEqual(timeless(yield* told(again, "/missed")), [`*** TIME ${bob.front}ham`])
        yield* says(mallory, "more spam")
        yield* readsNothing(again)
        yield* asks(again, "/unignore Eve", isSeen("Eve"))
        yield* quit(again)
        const last = yield* come(port)
        yield* told(last, `rename|Ann#${secretOf("Ann")}`)
        yield* asks(last, "/ignore", "*** 没有屏蔽任何人")
      }))

    // BUG: the list is read before the broadcaster has changed it for the line before.
    it.scopedLive("is one of several that are ignored in one go", () =>
      Effect.gen(function*() {
        const port = yield* open(place)
        const { ann, bob, mallory } = yield* three(port)
        yield* asks(bob, "/nick Bob", isNow("Bob"))
        assert.deepStrictEqual(yield* told(ann, "/ignore Bob", "/ignore Mallory"), [
          isIgnored("Bob"),
          isIgnored("Mallory")
        ])
        yield* says(bob, "spam")
        yield* says(mallory, "spam")
        yield* asks(ann, "/ignore", "*** Bob", "*** Mallory")
        assert.deepStrictEqual(yield* told(ann, "/unignore Bob", "/unignore Mallory"), [
          isSeen("Bob"),
          isSeen("Mallory")
        ])
        yield* asks(ann, "/ignore", "*** 没有屏蔽任何人")
      }))
  })
}

describe("Whoever ignores others", () => {
  it.scopedLive("is told so in English", () =>
    Effect.gen(function*() {
      const port = yield* start({ rate: 0, lang: "en" })
      const ann = yield* connect(port)
      const bob = yield* connect(port)
      yield* ann.sees(`${ann.front}online`, `${bob.front}online`)
      yield* told(bob, "/nick Bob")
      yield* asks(ann, "/ignore", "*** nobody is ignored")
      yield* asks(ann, "/ignore Bob", "*** Bob is ignored")
      yield* asks(ann, "/ignore", "*** Bob")
      yield* asks(ann, "/unignore Bob", "*** Bob is not ignored any more")
      yield* asks(ann, "/unignore Bob", "no such user")
      yield* asks(ann, "/unignore", "*** usage: /unignore NAME")
      yield* asks(ann, "/ignore two words", "*** usage: /ignore [NAME]")
    }))

  // BUG: see above, what is stored is the list as it was before.
  it.scopedLive("ignores them after a restart, if it and they have names of their own", () =>
    Effect.gen(function*() {
      const data = yield* file
      yield* Effect.scoped(Effect.gen(function*() {
        const { ann, bob, mallory } = yield* three(yield* start({ rate: 0, data }))
        yield* own(ann, "Ann")
        yield* own(mallory, "Eve")
        yield* asks(bob, "/nick Bob", isNow("Bob"))
        yield* asks(ann, "/ignore Bob", isIgnored("Bob"))
        yield* asks(ann, "/ignore Eve", isIgnored("Eve"))
        yield* says(mallory, "spam")
        yield* readsNothing(ann)
      }))
      const { ann, bob, mallory } = yield* three(yield* start({ rate: 0, data }))
      yield* asks(bob, "/nick Bob", isNow("Bob"))
      yield* told(ann, `rename|Ann#${secretOf("Ann")}`)
      yield* asks(mallory, `rename|Eve#${secretOf("Eve")}`, isNow("Eve"))
      yield* says(mallory, "spam")
      yield* says(bob, "ham")
      assert.deepStrictEqual(yield* told(ann), [`${called(bob, "Bob")}ham`])
      yield* asks(ann, "/ignore", "*** Eve")
    }))

  it.scopedLive("ignores a hundred at most", () =>
    Effect.gen(function*() {
      const port = yield* start({ rate: 0, maxConnectionsPerIp: 200 })
      const ann = yield* come(port)
      const others = yield* Effect.replicateEffect(come(port), 101)
      yield* until(ann, `${others.at(-1)!.front}已上线`)
      for (const { address } of others.slice(0, 100)) yield* asks(ann, `/ignore ${address}`, isIgnored(address))
      const [first, last] = [others[0]!, others[100]!]
      yield* asks(ann, `/ignore ${last.address}`, "*** 屏蔽名单已满")
      // That one is ignored already.
      yield* asks(ann, `/ignore ${first.address}`, isIgnored(first.address))
      assert.lengthOf(yield* told(ann, "/ignore"), 100)
      yield* asks(ann, `/unignore ${first.address}`, isSeen(first.address))
      yield* asks(ann, `/ignore ${last.address}`, isIgnored(last.address))
      yield* says(first, "heard")
      yield* ann.sees(`${first.front}heard`)
      yield* says(last, "spam")
      yield* readsNothing(ann)
    }))

  it.scopedLive("and reads slowly is told how many lines are missing, those that it would not have seen left out", () =>
    Effect.gen(function*() {
      const port = yield* start({ rate: 0, backlog: 65_536 })
      const { ann: slow, bob, mallory } = yield* three(port)
      yield* asks(slow, "/ignore Mallory", isIgnored("Mallory"))
      slow.socket.pause()
      const text = "x".repeat(4000)
      const count = 2500
      for (let next = 0; next < count; next += 50) {
        yield* bob.send(Array.from({ length: 50 }, (_, n) => `${next + n} ${text}\n`).join(""))
        yield* mallory.send(`spam ${next}\n`.repeat(10))
        yield* until(bob, `${bob.front}${next + 49} ${text}`)
        yield* until(mallory, `${bob.front}${next + 49} ${text}`)
      }
      slow.socket.resume()
      let next = 0
      let skipped = 0
      while (next < count) {
        const line = yield* slow.line
        const notice = /^\*\*\* 接收过慢，已跳过 (\d+) 行$/.exec(line)
        if (notice === null) assert.strictEqual(line, `${bob.front}${next++} ${text}`)
        else {
          skipped += Number(notice[1])
          next += Number(notice[1])
        }
      }
      assert.isAbove(skipped, 0)
      assert.strictEqual(next, count)
      yield* says(bob, "all is well")
      yield* slow.sees(`${bob.front}all is well`)
    }))
})
