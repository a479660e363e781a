/** Asks for secrets, without echo, and takes the name with them. */
import type * as Doing from "../client/Doing.ts"
import type { Session } from "../client/Session.ts"
import type { Answer, Done } from "../wire/JsonLines.ts"
import type { Wording } from "./Language.ts"
import type { Ask } from "./Prompt.ts"

export interface Asker {
  readonly note: (text: string, isLoud?: boolean) => void
  /** Shows the secret of operators. */
  readonly operate: (secret: string) => Promise<Answer | undefined>
  /** Nobody on the way can read along. */
  readonly isPrivate: boolean
}

/** How often a secret is asked for that is known. */
const tries = 3

/** Each asks where nobody can read along, and ends when nothing more is asked. */
export interface Naming {
  readonly open: (ask: Ask, ...asked: Parameters<Doing.Naming["open"]>) => Promise<void>
  readonly change: (ask: Ask, ...asked: Parameters<Doing.Naming["change"]>) => Promise<void>
  /** Asks for the secret of operators, and shows it. */
  readonly operate: (ask: Ask) => Promise<void>
}

export const make = (session: Session, { say }: Wording, { isPrivate, note, operate }: Asker): Naming => {
  const secretOf = (ask: Ask, text: string) => {
    if (!isPrivate) note(say("readable"), true)
    return ask(text)
  }
  /** A new one is asked for twice: nobody has seen what was typed. */
  const newSecret = async (ask: Ask, name: string) => {
    const secret = await secretOf(ask, say("newSecretOf", name))
    if (secret === undefined || await ask(say("secretAgain")) === secret) return secret
    note(say("secretsDiffer"), true)
    return undefined
  }
  /** One that is known: whoever shows it may be mistaken a few times. */
  const knownSecret = async (ask: Ask, text: string, show: (secret: string) => Promise<Answer | undefined>) => {
    for (let left = tries; left > 0; left--) {
      const secret = await secretOf(ask, text)
      const answer = secret === undefined ? undefined : await show(secret)
      if (answer?.ok !== false || answer.code !== "wrong-secret") return
    }
  }
  const refused = (answer: Answer | undefined) =>
    note(answer?.ok === false ? session.refusal(answer) : say("connecting"), true)
  const called = (answer: Done, name: string) =>
    note(say(answer.owned === true ? "calledMine" : "called", answer.name ?? name))
  const take = async (name: string, secret: string) => {
    const answer = await session.rename(name, secret)
    if (answer?.ok === true) called(answer, name)
    else refused(answer)
    return answer
  }
  return {
    open: async (ask, name, typed = "", error = "") => {
      if (error !== "") note(error, true)
      if (name === "") return note(say("usage", "/nick NAME"), true)
      if (typed !== "") return void await take(name, typed)
      // Whether it has an owner: then the secret is that one.
      const free = await session.rename(name)
      const isOwned = free?.ok === true ? free.owned === true : free?.ok === false && free.code === "name-owned"
      if (isOwned) return knownSecret(ask, say("secretOf", name), (secret) => take(name, secret))
      if (free?.ok !== true) return refused(free)
      const secret = await newSecret(ask, name)
      if (secret === undefined) called(free, name)
      else await take(name, secret)
    },
    change: async (ask, typed) => {
      const secret = typed === "" ? await newSecret(ask, session.me?.name ?? "") : typed
      if (secret === undefined) return
      const answer = await session.changeSecret(secret)
      if (answer?.ok === true) note(say("secretChanged"))
      else refused(answer)
    },
    operate: (ask) => knownSecret(ask, say("opSecret"), (secret) => operate(secret))
  }
}
