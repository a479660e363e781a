import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as Effect from "effect/Effect"
import { Foreign, LineInput } from "../src/wire/LineInput.ts"
import { maxSubnegotiation } from "../src/wire/Telnet.ts"
import * as Grammar from "./soak/Grammar.ts"
import { cut, text } from "./support/arbitraries.ts"
import { type Client, connect } from "./support/client.ts"
import { start } from "./support/server.ts"

const maxLine = 512
const { array, constantFrom, oneof, record, tuple, uint8Array } = FastCheck

const bytes = (...values: ReadonlyArray<number>) => Buffer.from(values)

const nasty = constantFrom(
  // Telnet: WILL ECHO, DO SUPPRESS-GO-AHEAD, an interrupt, a subnegotiation without an end.
  bytes(0xff, 0xfb, 0x01, 0xff, 0xfd, 0x03),
  bytes(0xff, 0xf4, 0xff, 0xfa, 0x1f),
  bytes(0x00),
  // Overlong, a surrogate, too large, cut off.
  bytes(0xc0, 0xaf, 0xc0, 0x8a, 0xe0, 0x80, 0x8a),
  bytes(0xed, 0xa0, 0x80, 0xed, 0xbf, 0xbf),
  bytes(0xf4, 0x90, 0x80, 0x80, 0xf8, 0x88, 0x80, 0x80, 0x80),
  bytes(0xe4, 0xbd),
  bytes(0xf0, 0x9f, 0x91),
  ...[
    "\ufeff",
    "\ufeff\ufeff",
    "\u001b[2J\u001b]0;title\u0007\u009b31m\b\v\f\u007f",
    "\u202eevil\u2066\u200f\u061c\u202a\u2069",
    "\r[127.0.0.1:1]server:下线\r",
    "\u0085\u2028*** 服务器即将关闭\u2029",
    "\u200d\ufe0f👩‍👩‍👧e\u0301"
  ].map((each) => Buffer.from(each))
)

const legal = "bob,Bob,ｂｏｂ,张三,e\u0301,é,ﬁ,fi,\u0301,b\u200dob,你被踢了,您已经更新用户名,对您说".split(",")
const taken = "observer,Observer,ｏｂｓｅｒｖｅｒ,server,SYSTEM".split(",")
const illegal = ",\u3164,\u202ebob, ,a:b,a b,*** x,[127.0.0.1:1],127.0.0.1:1".split(",")
const name = constantFrom(...legal, ...taken, ...illegal, "长".repeat(32), "长".repeat(33))

const command = oneof(
  constantFrom(
    "who",
    "/who",
    "/help",
    "/",
    "//",
    "//who",
    "to|",
    "to||",
    "to|bob",
    "rename|",
    "   \t ",
    "rename",
    "to"
  ),
  constantFrom(
    "*** 服务器即将关闭",
    "你被踢了",
    "当前用户名被使用",
    "[127.0.0.1:1]bob:hi",
    "bob对您说:hi",
    "在线...",
    "下线"
  ),
  name.map((name) => `rename|${name}`),
  name.map((name) => `/nick ${name}`),
  tuple(name, text).map(([name, text]) => `to|${name}|${text}`),
  tuple(name, text).map(([name, text]) => `/msg ${name} ${text}`),
  text.map((text) => `to|observer|${text}`),
  text.map((text) => `/${text}`),
  text.map((text) => `//${text}`),
  text
).map((line) => Buffer.from(line))

const long = tuple(constantFrom(maxLine - 1, maxLine, maxLine + 1, 3 * maxLine, 70_000), constantFrom("a", "é", "\x01"))
  .map(([length, letter]) => Buffer.alloc(length, letter))

const piece = oneof(
  { weight: 6, arbitrary: command },
  { weight: 3, arbitrary: nasty },
  { weight: 2, arbitrary: uint8Array({ minLength: 1, maxLength: 60 }).map((raw) => Buffer.from(raw)) },
  { weight: 1, arbitrary: long }
)

const lineBreak = constantFrom("\n", "\n", "\r\n", "\r\n", "\n\n", "\r", "\r\r\n", "").map((each) => Buffer.from(each))

/** What a hostile client sends, in which chunks, and how it goes. */
const attack = record({
  chunks: array(tuple(piece, lineBreak), { minLength: 1, maxLength: 25 })
    .map((parts) => Buffer.concat(parts.flat()))
    .chain(cut),
  goes: constantFrom("with an end", "with an end", "with /quit", "with a reset")
})
type Attack = typeof attack extends FastCheck.Arbitrary<infer A> ? A : never

// oxlint-disable-next-line no-control-regex
const unsafe = /[\0-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** The lines that are short enough, as others may see them: after protocol.md, in other words than the code's. */
const linesOf = (sent: Buffer): ReadonlyArray<string> => {
  const lines: Array<string> = []
  // What telnet leaves of it is held by the laws of LineInput.
  const input = new LineInput(maxLine)
  input.feed(sent)
  for (let line = input.next(); line !== undefined && line !== Foreign; line = input.next()) {
    if (typeof line === "string") lines.push(line.replace(unsafe, "\ufffd"))
  }
  const last = input.last()
  return typeof last === "string" ? [...lines, last.replace(unsafe, "\ufffd")] : lines
}

/** What was received, without the answers to telnet, of which the server says only two. */
const withoutTelnet = (received: Buffer): Buffer =>
  Buffer.from(received.toString("latin1").replace(/\xff[\xfc\xfe][^]/g, ""), "latin1")

const sameName = (name: string) => name.normalize("NFKC").replace(/\p{DI}/gu, "").toLowerCase()

/** Who may have caused a line: what it is called, and what it sent. */
interface Suspect {
  readonly address: string
  readonly lines: ReadonlyArray<string>
  readonly names: ReadonlySet<string>
}

const suspect = (client: Client, sent: Buffer): Suspect => {
  const lines = linesOf(sent)
  const names = lines.flatMap((line) => {
    const [, name] =
      /^[\t\p{Zs}]*(?:rename[\t\p{Zs}]*[|｜]|[/／](?:rename|nick)[\s\ufffd]+)(.*?)[\s\ufffd]*$/iu.exec(line) ?? []
    return name === undefined ? [] : [name.trim().normalize("NFC")]
  })
  return { address: client.address, lines, names: new Set([client.address, ...names]) }
}

/** Says of each line that `reader` received, in order, what is wrong with it. The watcher asks for nothing. */
const judge = (
  grammar: Grammar.Grammar,
  watcher: Suspect,
  culprits: ReadonlyArray<Suspect>,
  reader: Suspect
) => {
  const suspects = [watcher, ...culprits]
  // Of each user, the place up to which its lines were heard: they come in order, and none twice.
  const heard = new Map<Suspect, number>()
  const known = (address: string, name: string) => {
    const found = suspects.find((each) => each.address === address)
    assert.isTrue(found?.names.has(name), "is by nobody who was there")
    return found!
  }
  const wrote = (user: Suspect, text: string) => {
    if (["已上线", "下线"].includes(text)) return
    const at = user.lines.findIndex((line, i) =>
      i >= (heard.get(user) ?? 0) && line.replace(/^[\t\p{Zs}]*[/／][/／]/u, "/") === text
    )
    assert.isAtLeast(at, 0, "was not said by its sender")
    heard.set(user, at + 1)
  }
  const told = (sender: string, text: string) => {
    const toReader = (line: string) =>
      /^[\t\p{Zs}]*(?:to[\t\p{Zs}]*[|｜]|[/／](?:to|msg)[\s\ufffd])/iu.test(line) && line.endsWith(text) &&
      Array.from(reader.names).some((name) =>
        sameName(line.slice(0, line.length - text.length)).includes(sameName(name))
      )
    assert.isTrue(
      suspects.some(({ lines, names }) => names.has(sender) && lines.some(toReader)),
      "was not sent by its sender"
    )
  }
  return (line: string) => {
    const received = grammar.read(line)
    switch (received._tag) {
      case "Broadcast": {
        return wrote(known(received.address, received.name), received.text)
      }
      case "Listed": {
        return known(received.address, received.name)
      }
      case "Private": {
        return told(received.sender, received.text)
      }
      case "Renamed": {
        return assert.isTrue(reader.names.has(received.name), "was not asked for")
      }
      case "Help":
      case "TooLong":
      case "Refusal": {
        // Answers; and who is quiet has asked for nothing.
        return assert.notStrictEqual(reader, watcher, "is no answer")
      }
      // Nothing that happens here causes any of these.
      default: {
        return assert.fail(`is ${JSON.stringify(received)}`)
      }
    }
  }
}

/** Keeps all bytes that a client reads, as they come. */
const tap = (client: Client): () => Buffer => {
  const chunks: Array<Buffer> = []
  client.socket.on("data", (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks)
}

const come = (port: number) =>
  Effect.gen(function*() {
    const client = yield* connect(port, { paused: true })
    const received = tap(client)
    yield* client.read
    return { client, received }
  })

const until = (client: Client, last: string) =>
  Effect.gen(function*() {
    const lines: Array<string> = []
    for (let line = yield* client.line; line !== last; line = yield* client.line) lines.push(line)
    return lines
  })

const quiet = ["rename|observer", "still here"]

const nextTurn = Effect.async<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

/** Learns what `/help` says from somebody who goes again before the others come. */
const helpOf = (port: number) =>
  Effect.scoped(Effect.gen(function*() {
    const { client } = yield* come(port)
    yield* client.send("/help\nthat is all\n")
    const lines = yield* until(client, `${client.front}that is all`)
    yield* client.end
    yield* client.ended
    return lines.filter((line) => line.startsWith("*** "))
  }))

// A subnegotiation of telnet that was left open takes some of what follows.
const quitting = `${"x".repeat(maxSubnegotiation)}\n/quit\n`

const perform = (client: Client, { chunks, goes }: Attack) =>
  Effect.gen(function*() {
    for (const chunk of chunks) {
      yield* client.send(chunk)
      yield* nextTurn
    }
    if (goes === "with a reset") return yield* client.reset
    if (goes === "with /quit") yield* client.send(quitting)
    else yield* client.end
    yield* client.ended
    yield* client.end
  })

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

describe("Whatever clients send", () => {
  it.scopedLive.prop(
    "every line that anybody receives is in the tables, and names who caused it",
    [array(attack, { minLength: 1, maxLength: 4 })],
    ([attacks]) =>
      Effect.gen(function*() {
        const port = yield* start({ rate: 0, maxLine })
        const grammar = Grammar.make(maxLine)
        const help = yield* helpOf(port)
        assert.isNotEmpty(help)
        grammar.learnHelp(help)
        const observer = yield* come(port)
        yield* observer.client.send(`${quiet[0]}\n`)
        yield* until(observer.client, "您已经更新用户名:observer")
        const beforeAttack = observer.received().length

        const attackers = yield* Effect.forEach(attacks, (attack) =>
          Effect.map(come(port), (self) => ({ ...self, attack })))
        yield* Effect.forEach(attackers, ({ attack, client }) =>
          perform(client, attack), { concurrency: "unbounded" })
        yield* observer.client.send(`${quiet[1]}\n`)
        yield* until(observer.client, `[${observer.client.address}]observer:still here`)

        const watcher = suspect(observer.client, Buffer.from(quiet.join("\n")))
        const culprits = attackers.map(({ attack, client }) =>
          suspect(client, Buffer.concat([...attack.chunks, Buffer.from(attack.goes === "with /quit" ? quitting : "")]))
        )
        const check = (reader: Suspect, received: Buffer) => {
          const lawful = judge(grammar, watcher, culprits, reader)
          for (const line of strict.decode(received).split("\n").slice(0, -1)) {
            try {
              lawful(line)
            } catch (cause) {
              assert.fail(`${JSON.stringify(line)} to ${reader.address} ${String(cause)}`)
            }
          }
        }
        check(watcher, observer.received().subarray(beforeAttack))
        attackers.forEach(({ attack, received }, i) => {
          const all = withoutTelnet(received())
          if (attack.goes !== "with a reset") assert.strictEqual(all.at(-1), 10)
          check(culprits[i]!, all.subarray(0, all.lastIndexOf(10) + 1))
        })
      }),
    { fastCheck: { numRuns: 40, interruptAfterTimeLimit: 30_000 } }
  )

  it.scopedLive("a private line is one line, and begins with the name of its sender", () =>
    Effect.gen(function*() {
      const port = yield* start({ rate: 0 })
      const observer = yield* connect(port)
      yield* observer.send("rename|observer\n")
      yield* until(observer, "您已经更新用户名:observer")
      const mallory = yield* connect(port)
      yield* observer.sees(`${mallory.front}已上线`)
      yield* mallory.send("to|observer|\r*** 服务器即将关闭\r\n")
      yield* mallory.send("to|observer|a\u2028[127.0.0.1:1]bob:hi\u0085b|c\n")
      yield* mallory.send("/msg observer \u001b[2J\u202e\0\u009b1m\n")
      yield* mallory.send(Buffer.from("to|observer|\xff\xf4\xc0\x8a\xed\xa0\x80\xe4\xbd\n", "latin1"))
      yield* mallory.send("\ufeffto|ＯＢＳＥＲＶＥＲ|\ufeffhi\nrename|bob对您说\nto|observer|*** 你好\n")
      const front = `${mallory.address}对您说:`
      yield* observer.sees(
        `${front}\ufffd*** 服务器即将关闭`,
        `${front}a\ufffd[127.0.0.1:1]bob:hi\ufffdb|c`,
        `${front}\ufffd[2J\ufffd\ufffd\ufffd1m`,
        // The first two bytes were telnet.
        `${front}${"\ufffd".repeat(6)}`,
        `${front}\ufeffhi`,
        "bob对您说对您说:*** 你好"
      )
    }))
})
