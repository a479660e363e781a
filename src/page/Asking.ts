/** Several lines are several messages: asked about before they are sent. */
import { box, find, make } from "./elements.ts"
import { say } from "./Settings.ts"

/** Gives what is to be sent, or nothing. */
export const ask = (lines: ReadonlyArray<string>, send: (lines: ReadonlyArray<string>) => void): void => {
  const dialog = find("asking", HTMLDialogElement)
  box("askingTitle").textContent = say("many", lines.length)
  box("asMany").textContent = say("asMany", lines.length)
  box("askingLines").replaceChildren(...lines.map((line) => make("li", { dir: "auto" }, line)))
  dialog.returnValue = ""
  dialog.addEventListener("close", () => {
    if (dialog.returnValue === "many") send(lines)
    if (dialog.returnValue === "one") send([lines.map((line) => line.trim()).join(" ")])
  }, { once: true })
  dialog.showModal()
  box("asMany").focus()
}
