/**
 * Which nonces were used, and where: so that what is sent again is not said again. Part of the fold: pure, and bounded by the
 * log's own time and by count.
 */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as SortedMap from "effect/SortedMap"
import type { Nonce, Seq } from "./Event.ts"

/** For so long, in ms of the log's time, a nonce is known. */
export const nonceLife = 600_000

/** So many are known of one network, and in all; the oldest are forgotten first. */
export const noncesOfNetwork = 200
export const noncesInAll = 100_000

/** A nonce, where it was used first, when, and from where. */
export interface Used {
  readonly nonce: Nonce
  readonly seq: Seq
  readonly at: number
  readonly origin: string
}

type InOrder = SortedMap.SortedMap<Seq, Used>

export interface Nonces {
  readonly known: HashMap.HashMap<Nonce, Used>
  readonly inOrder: InOrder
  readonly ofOrigin: HashMap.HashMap<string, InOrder>
}

const nothing: InOrder = SortedMap.empty<Seq, Used>(Order.number)

export const empty: Nonces = { known: HashMap.empty(), inOrder: nothing, ofOrigin: HashMap.empty() }

/** Where this nonce was used first, at the time `at`. */
export const find = ({ known }: Nonces, nonce: Nonce, at: number): Option.Option<Seq> =>
  Option.map(Option.filter(HashMap.get(known, nonce), (used) => at - used.at < nonceLife), ({ seq }) => seq)

/** Where and when a nonce that is remembered was used. */
export const get = ({ known }: Nonces, nonce: Nonce): Used | undefined =>
  Option.getOrUndefined(HashMap.get(known, nonce))

/** Remembers a nonce that is not known, and forgets what is too old or too much. */
export const remember = (nonces: Nonces, used: Used): Nonces => {
  let after = add(forgetOf(nonces, used.nonce), used)
  for (let oldest = first(after.inOrder); oldest !== undefined; oldest = first(after.inOrder)) {
    if (used.at - oldest.at < nonceLife && SortedMap.size(after.inOrder) <= noncesInAll) break
    after = remove(after, oldest)
  }
  const own = originOf(after, used.origin)
  return SortedMap.size(own) > noncesOfNetwork ? remove(after, first(own)!) : after
}

const first = (inOrder: InOrder): Used | undefined =>
  Option.getOrUndefined(Option.map(SortedMap.headOption(inOrder), ([, used]) => used))

const originOf = ({ ofOrigin }: Nonces, origin: string): InOrder =>
  Option.getOrElse(HashMap.get(ofOrigin, origin), () => nothing)

/** One that is too old is used anew. */
const forgetOf = (nonces: Nonces, nonce: Nonce): Nonces =>
  Option.match(HashMap.get(nonces.known, nonce), { onNone: () => nonces, onSome: (used) => remove(nonces, used) })

const add = (nonces: Nonces, used: Used): Nonces => ({
  known: HashMap.set(nonces.known, used.nonce, used),
  inOrder: SortedMap.set(nonces.inOrder, used.seq, used),
  ofOrigin: HashMap.set(nonces.ofOrigin, used.origin, SortedMap.set(originOf(nonces, used.origin), used.seq, used))
})

const remove = (nonces: Nonces, { nonce, origin, seq }: Used): Nonces => {
  const own = SortedMap.remove(originOf(nonces, origin), seq)
  return {
    known: HashMap.remove(nonces.known, nonce),
    inOrder: SortedMap.remove(nonces.inOrder, seq),
    ofOrigin: SortedMap.size(own) === 0
      ? HashMap.remove(nonces.ofOrigin, origin)
      : HashMap.set(nonces.ofOrigin, origin, own)
  }
}
