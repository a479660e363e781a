/**
 * What operators have decided: who may not come, who may not speak, whether anybody new may come. Part of the fold: pure, and
 * the time is that of the log. Knows nobody who is here.
 */
import * as HashMap from "effect/HashMap"
import * as Net from "node:net"
import * as Cidr from "./Cidr.ts"
import type { NameKey } from "./Name.ts"
import * as Networks from "./Networks.ts"

/** Whoever owns this name; or whoever comes from there: for a ban a `Cidr`, for a mute a network as `originOf` gives it. */
export type Whom =
  | { readonly _tag: "Name"; readonly key: NameKey }
  | { readonly _tag: "Network"; readonly network: string }

export interface Rule {
  readonly whom: Whom
  /** What the operator called it: the name, or the network. */
  readonly name: string
  /** In ms since 1970; `undefined`: for ever. */
  readonly until: number | undefined
  readonly reason: string
  /** The name of the operator. */
  readonly by: string
}

export type Kind = "ban" | "mute"

export interface Rules {
  /** By `idOf`. */
  readonly bans: HashMap.HashMap<string, Rule>
  readonly mutes: HashMap.HashMap<string, Rule>
  readonly isLocked: boolean
}

export type Change =
  | { readonly _tag: "Set"; readonly kind: Kind; readonly rules: ReadonlyArray<Rule> }
  | { readonly _tag: "Lift"; readonly kind: Kind; readonly whom: ReadonlyArray<Whom> }
  | { readonly _tag: "Lock"; readonly isLocked: boolean }

/** So many of one kind there are at most. */
export const mostRules = 10_000

export const empty: Rules = { bans: HashMap.empty(), mutes: HashMap.empty(), isLocked: false }

export const fromRules = (
  { bans, isLocked, mutes }: {
    readonly bans: Iterable<Rule>
    readonly mutes: Iterable<Rule>
    readonly isLocked: boolean
  }
): Rules => ({ bans: byId(bans), mutes: byId(mutes), isLocked })

const byId = (rules: Iterable<Rule>) =>
  HashMap.fromIterable(Array.from(rules, (rule) => [idOf(rule.whom), rule] as const))

/** What makes two rules of one kind rules about the same. Part of the key under which it is kept. */
export const idOf = (whom: Whom): string => whom._tag === "Name" ? `name/${whom.key}` : `net/${whom.network}`

/** What it is about, as people read it. */
export const targetOf = ({ name, whom }: Rule): string => whom._tag === "Name" ? name : whom.network

export const holds = ({ until }: Rule, at: number): boolean => until === undefined || at < until

const ofKind = ({ bans, mutes }: Rules, kind: Kind) => kind === "ban" ? bans : mutes
const withKind = (rules: Rules, kind: Kind, changed: HashMap.HashMap<string, Rule>): Rules =>
  kind === "ban" ? { ...rules, bans: changed } : { ...rules, mutes: changed }

/** The rules of one kind that hold at this time, in order of what they are about. */
export const list = (rules: Rules, kind: Kind, at: number): ReadonlyArray<Rule> =>
  Array.from(HashMap.values(ofKind(rules, kind))).filter((rule) => holds(rule, at))
    .toSorted((one, other) => idOf(one.whom) < idOf(other.whom) ? -1 : 1)

/** Those that hold no more, and are known still. */
export const expired = (rules: Rules, kind: Kind, at: number): ReadonlyArray<Rule> =>
  Array.from(HashMap.values(ofKind(rules, kind))).filter((rule) => !holds(rule, at))

/** The rules after a change at this time. What has expired goes meanwhile; beyond the most there is no more. */
export const change = (rules: Rules, change: Change, at: number): Rules => {
  if (change._tag === "Lock") return { ...rules, isLocked: change.isLocked }
  const { kind } = change
  const living = HashMap.filter(ofKind(rules, kind), (rule) => holds(rule, at))
  const changed = change._tag === "Lift"
    ? HashMap.removeMany(living, change.whom.map(idOf))
    : change.rules.reduce(
      (all, rule) =>
        HashMap.size(all) < mostRules || HashMap.has(all, idOf(rule.whom))
          ? HashMap.set(all, idOf(rule.whom), rule)
          : all,
      living
    )
  return withKind(rules, kind, changed)
}

/** Whether there is room for these too, beside those that hold at this time. */
export const hasRoom = (rules: Rules, kind: Kind, more: ReadonlyArray<Rule>, at: number): boolean => {
  const living = HashMap.filter(ofKind(rules, kind), (rule) => holds(rule, at))
  return HashMap.size(living) + more.filter(({ whom }) => !HashMap.has(living, idOf(whom))).length <= mostRules
}

/** The name has no owner any more, so nothing holds for that. */
export const forgetName = (rules: Rules, key: NameKey): Rules => {
  const id = idOf({ _tag: "Name", key })
  return HashMap.has(rules.bans, id) || HashMap.has(rules.mutes, id)
    ? { ...rules, bans: HashMap.remove(rules.bans, id), mutes: HashMap.remove(rules.mutes, id) }
    : rules
}

const isAbout = (rules: HashMap.HashMap<string, Rule>, whom: Whom, at: number): boolean => {
  const rule = HashMap.get(rules, idOf(whom))
  return rule._tag === "Some" && holds(rule.value, at)
}

/** Whether the owner of this name may not be here. */
export const isNameBanned = ({ bans }: Rules, key: NameKey, at: number): boolean =>
  !HashMap.isEmpty(bans) && isAbout(bans, { _tag: "Name", key }, at)

/** All banned networks in one, whether they hold still or not: made once for as long as nothing changes. */
const blocked = new WeakMap<HashMap.HashMap<string, Rule>, Networks.Networks>()

/** Whether nobody may be here from this address. */
export const isBanned = ({ bans }: Rules, ip: string, at: number): boolean => {
  if (HashMap.isEmpty(bans) || Net.isIP(ip) === 0) return false
  let all = blocked.get(bans)
  if (all === undefined) blocked.set(bans, all = Networks.union(networksIn(HashMap.values(bans))))
  // One that is found may be over.
  return Networks.has(all, ip) &&
    Cidr.around(ip).some((network) => isAbout(bans, { _tag: "Network", network }, at))
}

const networksIn = (rules: Iterable<Rule>): ReadonlyArray<string> =>
  Array.from(rules).flatMap(({ whom }) => whom._tag === "Network" ? [whom.network] : [])

/** Whether somebody may not speak. `owned`: its name, if it owns that; `origin`: where it comes from. */
export const isMuted = (
  { mutes }: Rules,
  owned: NameKey | undefined,
  origin: () => string,
  at: number
): boolean =>
  isAbout(mutes, owned === undefined ? { _tag: "Network", network: origin() } : { _tag: "Name", key: owned }, at)
