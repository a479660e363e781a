/** A line of a server, which may be anybody: it is looked at before anything believes it. */
import type { Told } from "../wire/JsonLines.ts"

type Check = (value: unknown) => boolean

const text: Check = (value) => typeof value === "string"
const number: Check = (value) => Number.isFinite(value)
const flag: Check = (value) => typeof value === "boolean"
const time: Check = (value) => typeof value === "string" && !Number.isNaN(Date.parse(value))
const id: Check = (value) => typeof value === "string" || number(value)
const maybe = (check: Check): Check => (value) => value === undefined || check(value)
const all = (check: Check): Check => (value) => Array.isArray(value) && value.every(check)
const is = (wanted: unknown): Check => (value) => value === wanted

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null
const object = (fields: Readonly<Record<string, Check>>): Check => (value) =>
  isObject(value) && Object.entries(fields).every(([name, check]) => check(value[name]))

const person = object({ addr: text, name: text })
const spoken = { seq: number, room: text, time, from: person, text }
const presence = { room: text, who: person, time }

const kinds: ReadonlyMap<unknown, Check> = new Map(Object.entries(
  {
    hello: object({ version: text, log: text, you: person, room: text, seq: number, maxLine: number }),
    said: object(spoken),
    past: object({ ...spoken, id: maybe(id) }),
    private: object({ time, from: person, to: text, text, kept: maybe(is(true)) }),
    online: object(presence),
    offline: object({ ...presence, reason: text }),
    came: object({ ...presence, from: text, seq: maybe(number) }),
    went: object({ ...presence, to: text }),
    renamed: object({ ...presence, name: text }),
    users: object({ room: text, users: all(person) }),
    rooms: object({ rooms: all(object({ room: text, users: number })) }),
    notice: object({ code: text, text, lines: maybe(number), seconds: maybe(number) }),
    beat: object({}),
    answer: (value) => done(value) || refused(value)
  } satisfies Record<Told["kind"], Check>
))

const done = object({
  id: maybe(id),
  ok: is(true),
  name: maybe(text),
  names: maybe(all(text)),
  owned: maybe(flag),
  kept: maybe(flag),
  more: maybe(flag),
  who: maybe(person),
  room: maybe(text),
  since: maybe(time),
  online: maybe(number),
  linesPerSecond: maybe(number),
  backlog: maybe(number),
  skipped: maybe(number)
})
const refused = object({ id: maybe(id), ok: is(false), code: text, text })

const isTold = (value: unknown): value is Told => isObject(value) && kinds.get(value["kind"])?.(value) === true

/** What the line says; `undefined`: nothing that is known. */
export const told = (line: string): Told | undefined => {
  try {
    const value: unknown = JSON.parse(line)
    return isTold(value) ? value : undefined
  } catch {
    return undefined
  }
}
