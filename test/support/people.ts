/** People who use what the chat keeps for them, on each of its engines: for the tests of owned names and what goes with them. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Settings } from "../../src/ServerConfig.ts"
import { arrive, type Client, type Options } from "./client.ts"
import { folder } from "./engines.ts"
import { isOnNodes, level } from "./nodes.ts"
import { start } from "./server.ts"

/** Where a server keeps what it keeps. */
export interface Place {
  readonly name: string
  readonly isDurable: boolean
  readonly data: Effect.Effect<Settings["data"], never, Scope.Scope>
}

export const file = Effect.map(folder, (folder) => ({ file: `${folder}/tellnet.db` }))

export const places: ReadonlyArray<Place> = isOnNodes ?
  [{ name: "on three nodes", isDurable: false, data: Effect.succeed("none") }] :
  [
    { name: "in memory", isDurable: false, data: Effect.succeed("none") },
    { name: "in a file", isDurable: true, data: file }
  ]

/** A server without a pace, on a place. */
export const open = ({ data }: Place, settings: Partial<Settings> = {}) =>
  Effect.flatMap(data, (data) => start({ rate: 0, data, ...settings }))

/** Clients of one address count as one; each of these has an address of its own. */
let hosts = 1
export const elsewhere = (): Options => ({ localAddress: `127.0.${(++hosts) >> 8}.${hosts & 255}` })

/** Somebody who has come, and has read all about those that came after it. */
export const come = (port: number, others: ReadonlyArray<Client> = [], options?: Options) =>
  Effect.tap(
    arrive(port, options),
    ({ front }) => Effect.forEach(others, (other) => other.sees(`${front}已上线`), { discard: true })
  )

/** `[addr]name:`, what stands before all that it says under this name. */
export const called = ({ address }: Client, name: string): string => `[${address}]${name}:`

/** Reads until this line, and gives those before it. */
export const until = (client: Client, last: string | RegExp) =>
  Effect.gen(function*() {
    const lines: Array<string> = []
    const isLast = (line: string) => typeof last === "string" ? line === last : last.test(line)
    for (let line = yield* client.line; !isLast(line); line = yield* client.line) lines.push(line)
    return lines
  })

let marks = 0

/** Sends these lines, and gives all that it reads until they are carried out and answered. */
export const told = (client: Client, ...lines: ReadonlyArray<string>) =>
  Effect.suspend(() => {
    // Answered to nobody else, and in every language.
    const mark = `/mark-${++marks}`
    return Effect.zipRight(
      Effect.zipRight(level, client.send([...lines, mark].map((line) => `${line}\n`).join(""))),
      until(client, new RegExp(`^\\*\\*\\* .*${mark}[^0-9]`))
    )
  })

/** These lines are answered with exactly these. */
export const asks = (client: Client, line: string, ...answers: ReadonlyArray<string>) =>
  Effect.map(told(client, line), (lines) => assert.deepStrictEqual(lines, answers, line))

/** Nothing has come that was not read, and nothing comes of what was done before. */
export const readsNothing = (client: Client) => Effect.map(told(client), (lines) => assert.deepStrictEqual(lines, []))

/** Takes a name, as its owner from now on. */
export const own = (client: Client, name: string, secret = secretOf(name)) =>
  asks(client, `rename|${name}#${secret}`, `您已经更新用户名:${name}`, `*** ${name} 归您所有，口令可随时取回`)

export const secretOf = (name: string) => `secret of ${name}`

/** Leaves in order, and waits until that is done. */
export const quit = (client: Client) =>
  Effect.gen(function*() {
    yield* client.send("/quit\n")
    yield* client.ended
  })

/** What it read, with the time of old and kept lines taken out of it, after a look at its form. */
export const timeless = (lines: ReadonlyArray<string>) =>
  lines.map((line) => line.replace(/^(\*\*\* )\d\d-\d\d \d\d:\d\d:\d\d /, "$1TIME "))
