/** Asks for secrets, without echo, and takes the name with them. */
import type * as Doing from "../client/Doing.ts"
import type { Session } from "../client/Session.ts"
import type { Answer, Done } from "../wire/JsonLines.ts"
import type { Wording } from "./Language.ts"

export interface Asker {
  /** Shows nothing of what is typed. */
  readonly secret: (text: string) => Promise<string | undefined>
  readonly note: (text: string, isLoud?: boolean) => void
  /** Does what a line of operators asks for. */
  readonly operate: (line: string) => Promise<void> | undefined
  /** Nobody on the way can read along. */
  readonly isPrivate: boolean
}

/** How often the secret of a name that has an owner is asked for. */
const tries = 3

/** Each ends with whether the name, or the secret, is the one that was asked for. */
export interface Naming {
  readonly open: (...asked: Parameters<Doing.Naming["open"]>) => Promise<boolean>
  readonly change: (...asked: Parameters<Doing.Naming["change"]>) => Promise<boolean>
  /** Asks for the secret of operators, and shows it. */
  readonly operate: () => Promise<boolean>
}

export const make = (session: Session, { say }: Wording, { isPrivate, note, operate, secret: ask }: Asker): Naming => {
  const secretOf = (text: string) => {
    if (!isPrivate) note(say("readable"), true)
    return ask(text)
  }
  /** A new one is asked for twice: nobody has seen what was typed. */
  const newSecret = async (name: string) => {
    const secret = await secretOf(say("newSecretOf", name))
    if (secret === undefined) return undefined
    if (await ask(say("secretAgain")) === secret) return secret
    note(say("secretsDiffer"), true)
    return undefined
  }
  const refused = (answer: Answer | undefined) => {
    note(answer?.ok === false ? session.refusal(answer) : say("connecting"), true)
    return false
  }
  const called = (answer: Done, name: string) => {
    note(say(answer.owned === true ? "calledMine" : "called", answer.name ?? name))
    return true
  }
  const take = async (name: string, secret: string) => {
    const answer = await session.rename(name, secret)
    return answer?.ok === true ? called(answer, name) : refused(answer)
  }
  /** Takes a name that has an owner, who may be mistaken a few times. */
  const takeOwned = async (name: string) => {
    for (let left = tries; left > 0; left--) {
      const secret = await secretOf(say("secretOf", name))
      if (secret === undefined) return false
      const answer = await session.rename(name, secret)
      if (answer?.ok === true) return called(answer, name)
      refused(answer)
      if (answer?.code !== "wrong-secret") return false
    }
    return false
  }
  return {
    open: async (name, typed = "", error = "") => {
      if (error !== "") note(error, true)
      if (name === "") {
        note(say("usage", "/nick NAME"), true)
        return false
      }
      if (typed !== "") return take(name, typed)
      // Whether it has an owner: then the secret is that one.
      const free = await session.rename(name)
      if (free?.ok === false && free.code === "name-owned") return takeOwned(name)
      if (free?.ok !== true) return refused(free)
      if (free.owned === true) return takeOwned(name)
      const secret = await newSecret(name)
      if (secret !== undefined) return take(name, secret)
      called(free, name)
      // What was typed behind it may be one.
      return false
    },
    change: async (typed) => {
      const secret = typed === "" ? await newSecret(session.me?.name ?? "") : typed
      if (secret === undefined) return false
      const answer = await session.changeSecret(secret)
      if (answer?.ok !== true) return refused(answer)
      note(say("secretChanged"))
      return true
    },
    operate: async () => {
      const secret = await secretOf(say("opSecret"))
      if (secret === undefined) return false
      await operate(`/op ${secret}`)
      return true
    }
  }
}
