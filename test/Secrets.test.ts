/** A secret is seen by nobody, however its command is mistyped: no other client, no history, no log, no file. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { readdirSync, readFileSync } from "node:fs"
import { bundled, port } from "./support/child.ts"
import { arrive, type Client, connect } from "./support/client.ts"
import { folder } from "./support/engines.ts"
import { elsewhere, told } from "./support/people.ts"

const { constantFrom, mixedCase, oneof, record, tuple } = FastCheck

const blank = constantFrom("", " ", "\t", "\u3000", "\u00a0", " \t\u3000")
const slashes = constantFrom("", "/", "／", "//", "／/", "///", "/ ", "/ /", "\\", "、", ".", "\\/")
const behind = constantFrom(" ", "\t", "\u3000", "|", "｜", ":", "：", " |", "\u3000｜ ", "  ", " : ")
const name = constantFrom("", "bob", "Bob", "张三", " bob ", "not allowed", "admin", "a:b")
const mark = constantFrom("#", "＃", " #", "＃ ", "##")

/** What may be typed around a secret where a name is to be taken with it. */
const taking = record({
  head: tuple(blank, slashes, blank, mixedCase(constantFrom("rename", "nick", "ｎｉｃｋ")), behind).map((parts) =>
    parts.join("")
  ),
  rest: tuple(name, mark).map((parts) => parts.join(""))
})
/** The same where it stands alone. */
const alone = record({
  head: oneof(
    tuple(blank, slashes, blank, mixedCase(constantFrom("op")), behind),
    // Two slashes are words, and here nothing says that they were meant otherwise.
    tuple(blank, constantFrom("/", "／", "/ "), mixedCase(constantFrom("secret")), behind)
  ).map((parts) => parts.join("")),
  rest: constantFrom("", "", "#", "＃", "bob#", "bob ")
})

/** The same without a slash. Nothing stands behind the secret, or these are words. */
const bare = tuple(blank, constantFrom("", "\\", "、", "."), mixedCase(constantFrom("secret", "ｓｅｃｒｅｔ")), behind)
  .map((parts) => parts.join(""))

const typed = oneof(
  tuple(oneof(taking, alone), constantFrom("", " ", "\u3000", " and more", "#"), FastCheck.nat())
    .map(([{ head, rest }, end, salt]) => ({ head: head + rest, end, salt })),
  tuple(bare, constantFrom("", " ", "\u3000"), FastCheck.nat()).map(([head, end, salt]) => ({ head, end, salt }))
)

/** What is right, and a slip of each kind. */
const right = ["rename|bob#", "/nick bob#", "/secret ", "rename bob#", "nick：bob＃", "op "]
  .map((head) => ({ head, end: "", salt: 0 }))

/** All bytes that a client reads. */
const tap = (client: Client) => {
  const chunks: Array<Buffer> = []
  client.socket.on("data", (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString()
}

const seed = Number(process.env["SECRETS_SEED"] ?? Math.floor(Math.random() * 2 ** 31))

describe("A secret", () => {
  it.live(
    `is seen by nobody else, whatever near miss of its command is typed (SECRETS_SEED=${seed})`,
    () =>
      Effect.scoped(Effect.gen(function*() {
        const directory = yield* folder
        const flags = ["--rate", "0", "--replay", "10", "--max-owned", "2", "--log-level", "all"]
        const tellnet = yield* bundled(["--port", "0", "--data", `${directory}/tellnet.db`, ...flags])
        const listening = yield* port(tellnet)
        const witness = yield* arrive(listening)
        const seen = tap(witness)

        const lines = [...right, ...FastCheck.sample(typed, { numRuns: 400, seed })]
          .map(({ end, head, salt }, n) => ({ line: `${head}hidden${n}x${salt}${end}`, secret: `hidden${n}x${salt}` }))
        // Where the test looks it would find what is there.
        const control = "in plain words"
        yield* told(yield* connect(listening, elsewhere()), control)
        const answers: Array<string> = []
        for (let next = 0; next < lines.length; next += 50) {
          const typist = yield* connect(listening, elsewhere())
          answers.push(...yield* told(typist, ...lines.slice(next, next + 50).map(({ line }) => line)))
          yield* typist.send("/quit\n")
          yield* typist.ended
        }
        // Behind its arrival and the one old line.
        assert.deepStrictEqual(answers.slice(2, 9), [
          "您已经更新用户名:bob",
          "*** bob 归您所有，口令可随时取回",
          "*** 口令不对",
          "*** 口令已更改",
          "*** 用法：rename|NAME",
          "*** 用法：/nick NAME",
          "*** 用法：/op SECRET"
        ])
        yield* told(witness)

        const late = yield* connect(listening)
        const history = (yield* told(late, "/history 1000", "/missed", "/who", "/rooms", "/whois")).join("\n")
        const files = () =>
          readdirSync(directory, { withFileTypes: true })
            .flatMap((file) => file.isFile() ? [readFileSync(`${directory}/${file.name}`).toString("latin1")] : [])
        const open = files().join("\n")
        yield* tellnet.signal("SIGTERM")
        yield* witness.end
        yield* late.end
        const { stderr, stdout } = yield* tellnet.over
        const closed = files().join("\n")

        for (const place of [seen(), history, open, closed]) assert.include(place, control)
        assert.include(stdout, witness.address)
        const places = { others: seen(), history, "the log": stdout + stderr, "the file": open + closed }
        for (const [what, text] of Object.entries(places)) {
          const found = lines.filter(({ secret }) => text.includes(secret)).map(({ line }) => line)
          assert.deepStrictEqual(found, [], `shown to ${what}`)
        }
        // Nor was any of these lines said with something else in the place of its secret.
        const old = history.split("\n").filter((line) => /^\*\*\* \d\d-\d\d /.test(line))
        assert.lengthOf(old, 2, "as it comes, and when it asks")
        for (const line of old) assert.include(line, `:${control}`)
      })),
    { timeout: 60_000 }
  )
})
