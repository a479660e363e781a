/** The window in which a name and its secret are typed. The secret goes to the server, and nowhere else unless that is asked for. */
import type * as Doing from "../client/Doing.ts"
import type { Session } from "../client/Session.ts"
import { box, button, find } from "./elements.ts"
import { keepName, say } from "./Settings.ts"

export interface Naming extends Doing.Naming {
  /** For the secret of a name that is typed already. */
  readonly openAt: (name: string) => void
}

/** `done` is told how it went, in words. */
export const make = (session: Session, done: (text: string) => void): Naming => {
  const dialog = find("naming", HTMLDialogElement)
  const name = find("newName", HTMLInputElement)
  const secret = find("newSecret", HTMLInputElement)
  const form = find("namingForm", HTMLFormElement)
  let isSecretOnly = false

  const failed = (text: string) => {
    box("namingError").textContent = text
    name.ariaInvalid = secret.ariaInvalid = String(text !== "")
  }
  const show = (isOnly: boolean, typed: string, error: string) => {
    isSecretOnly = secret.required = isOnly
    name.required = !isOnly
    box("nameRow").hidden = isOnly
    button("changeSecret").hidden = isOnly || !session.isOwned
    secret.autocomplete = isOnly ? "new-password" : "current-password"
    box("secretLabel").textContent = say(isOnly ? "newSecret" : "secret")
    secret.value = typed
    failed(error)
    if (!dialog.open) dialog.showModal()
    secret.focus()
  }
  const save = async () => {
    const typed = secret.value.trim()
    const answer = isSecretOnly
      ? await session.changeSecret(typed)
      : await session.rename(name.value.trim(), typed)
    if (answer?.ok !== true) return failed(answer === undefined ? say("connecting") : session.refusal(answer))
    const called = session.me?.name ?? ""
    keepName(called, find("remember", HTMLInputElement).checked && typed !== "" ? typed : undefined)
    dialog.close()
    done(isSecretOnly ? say("secretChanged") : say(answer.owned === true ? "calledMine" : "called", called))
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault()
    void save()
  })
  form.addEventListener("input", () => failed(""))
  button("namingOff").addEventListener("click", () => dialog.close())
  button("changeSecret").addEventListener("click", () => show(true, "", ""))
  dialog.addEventListener("close", () => {
    secret.value = ""
  })
  return {
    open: (called, typed = "", error = "") => {
      show(false, typed, error)
      name.value = called
      if (typed === "" && error === "") name.select()
    },
    openAt: (called) => {
      show(false, "", "")
      name.value = called
    },
    change: (typed) => show(true, typed, "")
  }
}
