/** What all acts of operators share: the parts that they work with, answers, refusals, the log. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Event } from "../domain/Event.ts"
import type { Output } from "../domain/Output.ts"
import { MessageLog } from "../log/MessageLog.ts"
import { ServerConfig } from "../ServerConfig.ts"
import type { OperatorCommand } from "../wire/OperatorCommand.ts"
import { Addresses } from "./Addresses.ts"
import { Broadcaster } from "./Broadcaster.ts"
import { OnlineMap } from "./OnlineMap.ts"
import * as OperatorSecret from "./OperatorSecret.ts"
import { OwnedNames } from "./OwnedNames.ts"
import { hour, Quota } from "./Quota.ts"
import { RealAddresses } from "./RealAddresses.ts"
import { Records } from "./Records.ts"
import * as Targets from "./Targets.ts"
import type { Visit } from "./Visit.ts"

/** So many wrong secrets of one network in an hour are looked at. */
export const wrongOfNetwork = 10

export type Of<Tag extends OperatorCommand["_tag"]> = Extract<OperatorCommand, { readonly _tag: Tag }>

export const make = Effect.gen(function*() {
  const { opPlain, proxyProtocol, webProxy } = yield* ServerConfig
  return {
    addresses: yield* Addresses,
    broadcaster: yield* Broadcaster,
    check: yield* OperatorSecret.read,
    clock: yield* Effect.clock,
    log: yield* MessageLog,
    names: yield* OwnedNames,
    online: yield* OnlineMap,
    opPlain,
    proxies: [...Option.toArray(proxyProtocol), ...Option.toArray(webProxy)],
    real: yield* RealAddresses,
    records: yield* Records,
    /** What the registry has and what the fold has are changed together. */
    changing: yield* Effect.makeSemaphore(1),
    wrong: new Quota(wrongOfNetwork, hour)
  }
})
export type Shared = Effect.Effect.Success<typeof make>

export const reply = ({ broadcaster }: Shared, { asker }: Visit, output: Output) => broadcaster.reply(asker, output)

export const refuse = (shared: Shared, visit: Visit, problem: Targets.Problem, usage: string) =>
  reply(shared, visit, problem === "Usage" ? { _tag: "Usage", usage } : { _tag: problem })

/** Logs what an operator has done. */
export const note = ({ user }: Visit, what: string, fields: Readonly<Record<string, string>> = {}) =>
  Effect.annotateLogs(Effect.logInfo(`an operator ${what}`), {
    by: user.who?.name ?? "",
    peer: user.peer,
    ...fields
  })

/** Lets an event of an operator happen, and answers; `done` once it has. */
export const act = (shared: Shared, visit: Visit, event: Event, answer: Output, done: Effect.Effect<void>) =>
  Effect.flatMap(
    shared.broadcaster.attempt(visit.user, event),
    ({ refusal }) =>
      Effect.zipRight(refusal === undefined ? done : Effect.void, reply(shared, visit, refusal ?? answer))
  ).pipe(
    // Whoever puts itself out has done it all the same.
    Effect.uninterruptible
  )

/** Whom a word means: who owns a name, and who is here, by the address in fact too, if that is of this node. */
export const person = ({ online, real }: Shared, text: string) =>
  Effect.map(online, (world) => Targets.person(world, text, real.at(text)))
