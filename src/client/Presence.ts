/** Who came and who left, folded into one line for as long as nothing else happens. */
import type { Say } from "./Words.ts"

export type Move = "came" | "left"

/** Each name stands in one list at most. */
export interface Crowd {
  readonly came: ReadonlyArray<string>
  readonly left: ReadonlyArray<string>
}

export const nobody: Crowd = { came: [], left: [] }

/** Whoever comes and leaves again, or leaves and comes back, in one and the same fold, is not worth a word. */
export const fold = ({ came, left }: Crowd, move: Move, name: string): Crowd => {
  const without = (names: ReadonlyArray<string>) => names.filter((other) => other !== name)
  if (move === "came") {
    return left.includes(name) ? { came, left: without(left) } : { came: [...without(came), name], left }
  }
  return came.includes(name) ? { came: without(came), left } : { came, left: [...without(left), name] }
}

export const isEmpty = ({ came, left }: Crowd): boolean => came.length + left.length === 0

// So many names are told.
const named = 3

/** The crowd in words. */
export const tell = ({ came, left }: Crowd, say: Say): string =>
  ([["came", came], ["left", left]] as const).flatMap(([key, names]) => {
    if (names.length === 0) return []
    const some = names.slice(0, named).join(say("list"))
    return [say(key, names.length > named ? say("others", some, names.length) : some)]
  }).join(say("list"))
