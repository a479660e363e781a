/** Asks for secrets, without echo, and takes the name with them. */
import type * as Doing from "../client/Doing.ts"
import type { Session } from "../client/Session.ts"
import type { Answer } from "../wire/JsonLines.ts"
import type { Wording } from "./Language.ts"

export interface Asker {
  /** Shows nothing of what is typed. */
  readonly secret: (text: string) => Promise<string | undefined>
  readonly note: (text: string, isLoud?: boolean) => void
  /** Nobody on the way can read along. */
  readonly isPrivate: boolean
}

export const make = (session: Session, { say }: Wording, { isPrivate, note, secret: ask }: Asker): Doing.Naming => {
  const secretOf = (text: string) => {
    if (!isPrivate) note(say("readable"), true)
    return ask(text)
  }
  /** A new one is asked for twice: nobody has seen what was typed. */
  const newSecret = async (name: string) => {
    const secret = await secretOf(say("newSecretOf", name))
    if (secret === undefined || secret === "") return undefined
    if (await ask(say("secretAgain")) === secret) return secret
    return note(say("secretsDiffer"), true)
  }
  const refused = (answer: Answer | undefined) =>
    note(answer?.ok === false ? session.refusal(answer) : say("connecting"), true)
  const take = async (name: string, secret: string) => {
    const answer = await session.rename(name, secret)
    if (answer?.ok !== true) return refused(answer)
    note(say(answer.owned === true ? "calledMine" : "called", answer.name ?? name))
  }
  const open = async (name: string, typed: string, error: string) => {
    if (error !== "") note(error, true)
    if (name === "") return note(say("usage", "/nick NAME"), true)
    if (typed !== "") return take(name, typed)
    // Whether it has an owner: then the secret is that one.
    const free = await session.rename(name)
    if (free?.ok !== true && !(free?.ok === false && free.code === "name-owned")) return refused(free)
    const isOld = !free.ok || free.owned === true
    const secret = isOld ? await secretOf(say("secretOf", name)) : await newSecret(name)
    if (secret !== undefined && secret !== "") return take(name, secret)
    if (free.ok) note(say("called", free.name ?? name))
  }
  const change = async (typed: string) => {
    const secret = typed === "" ? await newSecret(session.me?.name ?? "") : typed
    if (secret === undefined) return
    const answer = await session.changeSecret(secret)
    if (answer?.ok === true) note(say("secretChanged"))
    else refused(answer)
  }
  return {
    open: (name, secret = "", error = "") => void open(name, secret, error),
    change: (secret) => void change(secret)
  }
}
