/** What each command does, for the user who typed it. Knows how lines are paid for, and nothing of how they came. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { Event } from "../domain/Event.ts"
import { monotonic } from "../domain/monotonic.ts"
import { chooseName } from "../domain/Name.ts"
import type { Output } from "../domain/Output.ts"
import { lobby } from "../domain/Room.ts"
import * as World from "../domain/World.ts"
import { Stats } from "../ops/Stats.ts"
import { ServerConfig } from "../ServerConfig.ts"
import type { Command } from "../wire/Command.ts"
import { PlainForm } from "../wire/PlainForm.ts"
import { terminalSafe } from "../wire/Text.ts"
import { Broadcaster } from "./Broadcaster.ts"
import type { Answer } from "./Entry.ts"
import type { Visit } from "./Visit.ts"

/** All commands but the one that ends the visit. */
export type Executable = Exclude<Command, { readonly _tag: "Quit" }>

type Handlers = {
  readonly [Tag in Executable["_tag"]]: (
    visit: Visit,
    command: Extract<Executable, { readonly _tag: Tag }>
  ) => Effect.Effect<void>
}

export type Execute = (visit: Visit, command: Executable) => Effect.Effect<void>

// A long answer is paid for as a line for each so many bytes of it; and what one user takes in a list, roughly, in bytes.
const answerBytes = 16_384
const presentBytes = 64

/** A new name changes the list for everybody, so it is paid for like so many lines. */
const renameLines = 5

/** What a user says, as an event. */
export const said = ({ user: { id, who } }: Visit, text: string): Event | undefined =>
  who && { _tag: "Said", user: id, who, room: lobby, text: terminalSafe(text) }

export const make = Effect.gen(function*() {
  const handlers = yield* makeHandlers
  // Each handler takes the command with its own tag.
  const execute: Execute = (visit, command) =>
    (handlers[command._tag] as (visit: Visit, command: Executable) => Effect.Effect<void>)(visit, command)
  return execute
})

const makeHandlers = Effect.gen(function*() {
  const { ask, askAndWait, carry, happen, happenPatiently, recall, reform, reply } = yield* Broadcaster
  const forms = yield* PlainForm
  const stats = yield* Stats
  const clock = yield* Effect.clock
  const idleTimeout = Duration.toMillis((yield* ServerConfig).idleTimeout)
  const pay = (visit: Visit, lines: number) => visit.pay(monotonic(clock), lines)
  const say = (output: Output) => ({ user }: Visit) => reply(user, output)

  const standing = ({ user: { channel, heardAt } }: Visit) => (world: World.World): Answer => ({
    reply: {
      _tag: "Stats",
      standing: {
        online: World.size(world),
        linesPerSecond: stats.linesPerSecond,
        backlog: channel.backlog,
        skipped: channel.skippedLines,
        idleLeft: idleTimeout === 0 ? undefined : Math.ceil((heardAt + idleTimeout - monotonic(clock)) / 1000)
      }
    }
  })

  const handlers: Handlers = {
    Say: (visit, { text }) => {
      const event = said(visit, text)
      if (event === undefined) return Effect.void
      return visit.waited ? happenPatiently(event) : happen(event)
    },
    Who: (visit) =>
      askAndWait(visit.user, (world) => {
        pay(visit, Math.floor((World.size(world) * presentBytes) / answerBytes))
        return roster(world)
      }),
    Rename: (visit, { name }) => {
      pay(visit, renameLines - 1)
      return Either.match(chooseName(name), {
        onLeft: (why) => reply(visit.user, { _tag: why === "reserved" ? "NameReserved" : "NameNotAllowed" }),
        // Nothing more of this user is heard before it is called so: what it says holds its name.
        onRight: (name) => carry({ _tag: "Renamed", user: visit.user.id, name })
      })
    },
    Tell: (visit, { name, text }) =>
      name === ""
        ? reply(visit.user, { _tag: "TellMalformed" })
        : ask(visit.user, (world) => tell(visit, world, name, text)),
    TellMalformed: say({ _tag: "TellMalformed" }),
    History: (visit, { limit }) => {
      let bytes = 0
      return recall(visit.user, limit, (more) => {
        bytes += more
        const lines = Math.floor(bytes / answerBytes)
        bytes -= lines * answerBytes
        pay(visit, lines)
      })
    },
    Time: (visit, { shown }) =>
      Effect.zipRight(
        reform(visit.user, shown ? forms.timed : forms.plain),
        reply(visit.user, { _tag: shown ? "TimeShown" : "TimeHidden" })
      ),
    Stats: (visit) => ask(visit.user, standing(visit)),
    Help: say({ _tag: "Help" }),
    Misused: ({ user }, { usage }) => reply(user, { _tag: "Usage", usage }),
    Unknown: ({ user }, { command }) => reply(user, { _tag: "UnknownCommand", command }),
    Blank: () => Effect.void
  }
  return handlers
})

const tell = ({ user }: Visit, world: World.World, name: string, text: string): Answer => {
  const to = Option.getOrUndefined(World.holder(world, name))
  if (to === undefined || user.who === undefined) return { reply: { _tag: "NoSuchUser" } }
  if (text.trim() === "") return { reply: { _tag: "TellEmpty" } }
  return { private: { to: to.user, output: { _tag: "Private", from: user.who, text } } }
}

const rosters = new WeakMap<World.World["users"], Answer>()

/** Everyone who is here; the same object until somebody comes, goes or is renamed, so it is made into bytes once. */
const roster = (world: World.World): Answer => {
  let answer = rosters.get(world.users)
  if (answer === undefined) rosters.set(world.users, answer = { reply: { _tag: "Users", users: World.roster(world) } })
  return answer
}
