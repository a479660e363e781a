/** Where people write. Enter sends, but never one that belongs to an input method. */
import * as Completion from "../client/Completion.ts"
import { Recall } from "../client/Recall.ts"

export interface Writer {
  readonly names: () => ReadonlyArray<string>
  readonly commands: ReadonlyArray<string>
  /** What is to be sent stays in the field until `done`. */
  readonly send: (text: string) => void
  readonly changed: (text: string) => void
}

/** Safari ends a composition before it tells of the Enter that ended it: within so many ms. */
const compositionEcho = 50

export class Composer {
  readonly #input: HTMLTextAreaElement
  readonly #writer: Writer
  readonly #recall = new Recall()
  #tab: { readonly words: ReadonlyArray<string>; at: number; done: Completion.Completed } | undefined
  #composed = -Infinity

  constructor(form: HTMLFormElement, input: HTMLTextAreaElement, writer: Writer) {
    this.#input = input
    this.#writer = writer
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      this.#submit()
      input.focus()
    })
    input.addEventListener("compositionend", ({ timeStamp }) => this.#composed = timeStamp)
    input.addEventListener("keydown", (event) => this.#pressed(event))
    input.addEventListener("input", (event) => {
      this.#tab = undefined
      const isComposing = event instanceof InputEvent && event.isComposing
      if (!isComposing) this.#writer.changed(input.value)
      this.#grow()
    })
  }

  set(text: string): void {
    this.#input.value = text
    this.#tab = undefined
    this.#writer.changed(text)
    this.#grow()
  }

  focus(): void {
    this.#input.focus()
  }

  /** Sent: the field is for the next one. */
  done(text: string): void {
    this.#recall.add(text)
    this.set("")
  }

  #submit(): void {
    const { value } = this.#input
    if (value.trim() !== "") this.#writer.send(value)
  }

  #pressed(event: KeyboardEvent): void {
    const input = this.#input
    // 229 is what an input method makes of any key.
    if (event.isComposing || event.keyCode === 229) return
    if (event.key === "Enter" && !event.shiftKey && !event.altKey && !event.ctrlKey) {
      event.preventDefault()
      if (event.timeStamp - this.#composed > compositionEcho) this.#submit()
    } else if (event.key === "ArrowUp" && this.#recall.isShown(input.value)) this.#step(-1, event)
    else if (event.key === "ArrowDown" && input.value !== "" && this.#recall.isShown(input.value)) this.#step(1, event)
    else if (event.key === "Tab" && !event.shiftKey && !event.altKey && !event.ctrlKey) this.#complete(event)
  }

  #step(by: -1 | 1, event: KeyboardEvent): void {
    const text = this.#recall.step(by, this.#input.value)
    if (text === undefined) return
    event.preventDefault()
    this.set(text)
    this.#input.setSelectionRange(text.length, text.length)
  }

  // Without anything to complete, Tab does what Tab does: nobody is caught in the field.
  #complete(event: KeyboardEvent): void {
    const input = this.#input
    const cursor = input.selectionStart
    if (this.#tab === undefined) {
      const { start, words } = Completion.candidates(
        input.value.slice(0, cursor),
        this.#writer.names(),
        this.#writer.commands
      )
      if (words.length === 0) return
      this.#tab = { words, at: -1, done: { text: input.value, cursor, start } }
    }
    event.preventDefault()
    const { done, words } = this.#tab
    this.#tab.at = (this.#tab.at + 1) % words.length
    this.#tab.done = Completion.put(done.text, done.start, done.cursor, words[this.#tab.at] ?? "")
    input.value = this.#tab.done.text
    input.setSelectionRange(this.#tab.done.cursor, this.#tab.done.cursor)
    this.#writer.changed(input.value)
  }

  // Where the browser does not do it by `field-sizing`.
  #grow(): void {
    this.#input.rows = Math.min(10, this.#input.value.split("\n").length)
  }
}
