/** Whom an operator means by a word: pure. A name is taken exactly; where two look the same, it must be the address. */
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import { type Address, originOf } from "../domain/Address.ts"
import * as Cidr from "../domain/Cidr.ts"
import type { Online, UserId } from "../domain/Event.ts"
import { longestName, type NameKey, nameKey } from "../domain/Name.ts"
import type { Networks } from "../domain/Networks.ts"
import type { Rule, Whom } from "../domain/Rules.ts"
import { skeleton } from "../domain/Skeleton.ts"
import { terminalSafe } from "../domain/Text.ts"
import * as World from "../domain/World.ts"

export interface Person {
  /** What it is called: the name, or the address that was asked for. */
  readonly name: string
  /** `undefined`: it is not here, and owns the name. */
  readonly online: Online | undefined
  readonly owned: NameKey | undefined
}

/** Why nobody, or nothing, is meant. */
export type Problem = "NoSuchUser" | "LookAlike" | "Usage"

/**
 * Somebody who is here, or owns the name; by the name, or by the address that others see. `at`: who comes from an address of
 * this text in fact, if somebody does.
 */
export const person = (world: World.World, text: string, at?: UserId): Either.Either<Person, Problem> => {
  if (text.length > longestName) return Either.left("NoSuchUser")
  const users = Array.from(HashMap.values(world.users))
  const there = users.filter(({ user, who }) => who.address === `${text}` || user === at)
  const [only, ...more] = there
  if (only !== undefined && more.length === 0) return Either.right(personOf(world, only, text))
  const online = Option.getOrUndefined(World.holder(world, text))
  const look = skeleton(text)
  const isAlike = ({ user, who }: Online) =>
    user !== online?.user && who.name !== `${who.address}` && skeleton(who.name) === look
  if (users.some(isAlike)) return Either.left("LookAlike")
  if (online !== undefined) return Either.right(personOf(world, online, online.who.name))
  const owned = World.isOwned(world, text) ? nameKey(text) : undefined
  return owned === undefined
    ? Either.left("NoSuchUser")
    : Either.right({ name: terminalSafe(text), online: undefined, owned })
}

const personOf = (world: World.World, online: Online, name: string): Person => ({
  name,
  online,
  owned: World.ownsItsName(world, online.user) ? nameKey(online.who.name) : undefined
})

/** Where somebody comes from, as the fold knows it: what is bounded for each address is bounded for this. */
export const networkOf = ({ who }: Online): string => originOf(who.address)

/** Who is banned, and what it is called. */
export interface Banned {
  readonly name: string
  readonly whom: ReadonlyArray<Whom>
}

/** A network that is banned. Nothing if the text is a name. */
export const bannedNetwork = (text: string): Either.Either<Option.Option<Banned>, Problem> => {
  const cidr = Cidr.read(text)
  return Option.isNone(cidr) && text.includes("/")
    ? Either.left("Usage")
    : Either.right(Option.map(cidr, (network) => ({ name: network, whom: [{ _tag: "Network", network }] })))
}

/** Somebody who is banned: where it comes from in fact, if it is here, and the name that it owns. */
export const bannedPerson = (
  { name, online, owned }: Person,
  peer: Address | undefined
): Either.Either<Banned, Problem> => {
  const network = peer && Option.getOrUndefined(Cidr.ofOrigin(originOf(peer)))
  return online !== undefined && network === undefined
    ? Either.left("NoSuchUser")
    : Either.right({ name, whom: whomOf(owned, network) })
}

/** Who is muted: the owned name, and whoever comes from there without one. */
export const muted = ({ online, owned }: Person): ReadonlyArray<Whom> => whomOf(owned, online && networkOf(online))

const whomOf = (owned: NameKey | undefined, network: string | undefined): ReadonlyArray<Whom> => [
  ...owned === undefined ? [] : [{ _tag: "Name", key: owned } as const],
  ...network === undefined ? [] : [{ _tag: "Network", network } as const]
]

/** Whether a ban would be for more than anybody means: a large part of all addresses, the operator itself, a trusted proxy. */
export const isTooMuch = (whom: ReadonlyArray<Whom>, own: string, proxies: ReadonlyArray<Networks>): boolean =>
  whom.some((one) => {
    const cidr = one._tag === "Network" ? Option.getOrUndefined(Cidr.read(one.network)) : undefined
    return cidr !== undefined &&
      (Cidr.isTooWide(cidr) || Cidr.has(cidr, own) || proxies.some((networks) => Cidr.meets(cidr, networks)))
  })

/** Those of the rules that are meant by this word: it was made with it, or is about it, or about where `online` comes from. */
export const rulesFor = (
  rules: ReadonlyArray<Rule>,
  text: string,
  network: string | undefined = undefined
): ReadonlyArray<Rule> => {
  const cidr = Option.getOrElse(Cidr.read(text), () => network)
  const key = text.length > longestName ? undefined : nameKey(text)
  return rules.filter(({ name, whom }) =>
    whom._tag === "Network" && whom.network === cidr || whom._tag === "Name" && whom.key === key ||
    nameKey(name) === key
  )
}
