/**
 * The last row of the terminal, in which one types: `node:readline` edits it, and it stays whole while lines are printed
 * above it. Pastes of several lines are not taken for several times Enter; secrets are asked without echo. Knows nothing
 * of the talk.
 */
import { constants } from "node:os"
import * as Readline from "node:readline"
import { PassThrough } from "node:stream"
import type * as Tty from "node:tty"
import { terminalSafe } from "../domain/Text.ts"

export interface Typist {
  /** A line that was typed: it is not on the screen any more. */
  readonly line: (text: string) => void
  /** Several lines that were pasted. */
  readonly pasted: (lines: ReadonlyArray<string>) => void
  /** After each key: what begins with this text, and is to be typed where nobody can read it; see `hiding`. */
  readonly hides: (text: string) => ((ask: Ask) => Promise<void>) | undefined
  /** All that the word at the end of the text can become. */
  readonly complete: (head: string) => { readonly start: number; readonly words: ReadonlyArray<string> }
  /** Never to be recalled. */
  readonly isSecret: (line: string) => boolean
  /** Ctrl-D or Ctrl-C in an empty line. */
  readonly leave: () => void
}

/** Asks, and shows nothing of what is typed. `undefined`: it is not told. */
export type Ask = (text: string) => Promise<string | undefined>

/** What goes on with questions. */
interface Flow {
  /** Nobody waits for them any more. */
  isGivenUp: boolean
}

interface Question {
  /** What is typed, one key at a time; `true`: that was all. */
  readonly key: (typed: string, key: Readline.Key) => boolean
}

/** Columns for what is typed, at least. */
const room = 20
const wait = "… "
const pasteOn = "\x1b[?2004h"
const pasteOff = "\x1b[?2004l"

export class Prompt {
  readonly #input: Tty.ReadStream
  readonly #output: Tty.WriteStream
  readonly #typist: Typist
  readonly #editor: Readline.Interface
  #text = ""
  /** On how many rows above the cursor the prompt begins. */
  #rows = 0
  #above: Array<string> = []
  #paste: string | undefined
  #question: Question | undefined
  #questions: Promise<unknown> = Promise.resolve()
  readonly #flows = new Set<Flow>()
  /** What was typed where nobody may read it, and no question is open yet. */
  #hidden: Array<readonly [typed: string | undefined, key: Readline.Key]> | undefined
  #isClosed = false

  constructor(input: Tty.ReadStream, output: Tty.WriteStream, typist: Typist) {
    this.#input = input
    this.#output = output
    this.#typist = typist
    // Before the editor hears of it: it moves up by as many rows as there were at the width of before.
    output.on("resize", this.#resized)
    this.#editor = Readline.createInterface({
      // It is handed the keys by `write`.
      input: new PassThrough(),
      output,
      terminal: true,
      historySize: 200,
      completer: (head: string) => {
        const { start, words } = typist.complete(head)
        // One that fits is done.
        return [words.length === 1 ? words.map((word) => `${word} `) : words, head.slice(start)]
      }
    })
    this.#editor.on("history", (history) => {
      if (history[0] !== undefined && typist.isSecret(history[0])) history.shift()
    })
    Readline.emitKeypressEvents(input)
    input.on("keypress", this.#pressed)
    input.on("end", typist.leave)
    process.on("SIGCONT", this.#resumed)
    process.once("exit", () => this.close())
    // Without these it would end at once, and leave the terminal raw.
    for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => process.exit(128 + constants.signals[signal]))
    }
    this.#resumed()
  }

  /** What stands before that which is typed. */
  set(text: string): void {
    const safe = terminalSafe(text)
    // Two columns a character, but for the narrow ones of the West: what is typed is to have room.
    const width = Array.from(safe).reduce((sum, character) => sum + (character < "\u1100" ? 1 : 2), 0)
    this.#text = width > this.#output.columns - room ? "> " : safe
    this.#showText()
  }

  /** Prints lines above it, soon, and all of them at once. They are taken for safe. */
  above(...lines: ReadonlyArray<string>): void {
    if (this.#above.length === 0) setImmediate(() => this.flush())
    this.#above.push(...lines)
  }

  flush(): void {
    if (this.#above.length === 0) return
    const lines = this.#above
    this.#above = []
    if (this.#isClosed) return void this.#output.write(lines.map((line) => `${line}\n`).join(""))
    this.#output.cork()
    this.#up(this.#rows)
    this.#draw(lines.map((line) => `${line}\r\n`).join(""))
    this.#output.uncork()
  }

  /**
   * Runs something that may ask for secrets. From now on, or if it was not `typed` from its first question on, what is typed
   * is shown and said nowhere, and answers questions only. At its end the rest is dropped, as it may be a secret still; with
   * `true` it is what was typed behind a line, and is typed again.
   */
  async hiding(run: (ask: Ask) => Promise<boolean | void>, isTyped = true): Promise<void> {
    const flow: Flow = { isGivenUp: false }
    this.#flows.add(flow)
    if (isTyped) {
      this.#hidden ??= []
      this.#showText()
    }
    const isLine = await run((text) => this.#secret(flow, text))
    if (!this.#flows.delete(flow) || this.#flows.size > 0) return
    const rest = this.#hidden ?? []
    this.#hidden = undefined
    this.#showText()
    if (isLine === true) this.#retype(rest)
  }

  // Enter alone is no answer: it may belong to the line before.
  #secret(flow: Flow, text: string): Promise<string | undefined> {
    return this.#ask<string>(text, (resolve) => {
      let secret = ""
      return (typed, { ctrl, name }) => {
        if (name === "return" || name === "enter") {
          if (secret !== "") resolve(secret)
          return secret !== ""
        }
        if (name === "backspace") secret = [...secret].slice(0, -1).join("")
        else if (ctrl === true && name === "u") secret = ""
        else secret += typed
        return false
      }
    }, flow)
  }

  /** Asks for one of these letters. `undefined`: for none. */
  choose(text: string, letters: string): Promise<string | undefined> {
    return this.#ask<string>(text, (resolve) => (typed) => {
      const letter = typed.toLowerCase()
      const isOne = letter !== "" && letters.includes(letter)
      if (isOne) resolve(letter)
      return isOne
    })
  }

  /** The terminal is as it was, and the cursor where the prompt began. */
  close(): void {
    if (this.#isClosed) return
    this.flush()
    this.#isClosed = true
    this.#up(this.#rows)
    this.#input.off("keypress", this.#pressed)
    this.#output.off("resize", this.#resized)
    process.off("SIGCONT", this.#resumed)
    this.#editor.close()
    this.#output.write(pasteOff)
    this.#input.setRawMode(false)
    this.#input.pause()
  }

  /** To the first row of the prompt, and takes it away. */
  #up(rows: number): void {
    Readline.moveCursor(this.#output, 0, -rows)
    Readline.cursorTo(this.#output, 0)
    Readline.clearScreenDown(this.#output)
  }

  /** Draws the prompt, behind this, where the cursor is. */
  #draw(before = ""): void {
    // The editor goes up by as many rows as it has gone down.
    this.#output.write(before + "\n".repeat(this.#rows))
    this.#editor.prompt(true)
    this.#rows = this.#editor.getCursorPos().rows
  }

  /** What stands before a line, if one can be typed now. */
  #showText(): void {
    if (this.#question === undefined) this.#show(this.#hidden === undefined ? this.#text : wait)
  }

  #show(text: string): void {
    if (this.#isClosed || text === this.#editor.getPrompt()) return
    this.#output.cork()
    this.#editor.setPrompt(text)
    this.#editor.prompt(true)
    this.#rows = this.#editor.getCursorPos().rows
    this.#output.uncork()
  }

  readonly #pressed = (typed: string | undefined, key: Readline.Key): void => {
    if (this.#hidden !== undefined && this.#question === undefined && !(key.ctrl === true && key.name === "c")) {
      this.#hidden.push([typed, key])
    } else this.#typed(typed, key)
  }

  #typed(typed: string | undefined, key: Readline.Key): void {
    if (key.name === "paste-start") this.#paste = ""
    else if (key.name === "paste-end") {
      const text = this.#paste ?? ""
      this.#paste = undefined
      this.#pasted(text)
    } else if (this.#paste !== undefined) this.#paste += key.sequence ?? ""
    else this.#key(typed, key)
    this.#rows = this.#editor.getCursorPos().rows
  }

  #key(typed: string | undefined, key: Readline.Key): void {
    const { ctrl = false, name } = key
    if (ctrl && name === "z") return this.#suspend()
    if (this.#question !== undefined) {
      const isOff = name === "escape" || ctrl && (name === "c" || name === "d")
      const isText = !ctrl && key.meta !== true && typed !== undefined
      return this.#answer(isText ? terminalSafe(typed).replaceAll("\ufffd", "") : "", key, isOff)
    }
    const { line } = this.#editor
    if (this.#hidden !== undefined) return this.#giveUp()
    if (ctrl && name === "c" && line !== "") return this.#take("")
    if (ctrl && (name === "c" || name === "d") && line === "") return this.#typist.leave()
    if (name === "return" || name === "enter") return this.#enter()
    this.#editor.write(typed ?? null, key)
    this.#look()
  }

  #look(): void {
    const run = this.#typist.hides(this.#editor.line)
    if (run === undefined) return
    this.#take("")
    void this.hiding(run)
  }

  #giveUp(): void {
    for (const flow of this.#flows) flow.isGivenUp = true
    this.#flows.clear()
    this.#hidden = undefined
    this.#showText()
  }

  #retype(keys: ReadonlyArray<readonly [typed: string | undefined, key: Readline.Key]>): void {
    for (const [typed, key] of keys) this.#pressed(typed, key)
  }

  #pasted(text: string): void {
    const lines = text.split(/\r\n|\r|\n/).filter((line) => line.trim() !== "")
    const [first = ""] = lines
    if (this.#question !== undefined) return this.#answer(first, {}, false)
    if (lines.length > 1) return this.#typist.pasted(lines)
    // A tab would complete what stands before it, and nobody knows how wide it is.
    this.#editor.write(terminalSafe(first).replaceAll("\t", " "))
    this.#look()
  }

  #enter(): void {
    const { line } = this.#editor
    this.#output.cork()
    this.#editor.write(null, { ctrl: true, name: "e" })
    const { rows } = this.#editor.getCursorPos()
    this.#editor.write(null, { name: "return" })
    // It comes back as the server says it.
    this.#up(rows + 1)
    this.#rows = 0
    this.#draw()
    this.#output.uncork()
    this.#typist.line(line)
  }

  /** Puts this in the place of what is typed. */
  #take(text: string): void {
    this.#editor.write(null, { ctrl: true, name: "e" })
    this.#editor.write(null, { ctrl: true, name: "u" })
    if (text !== "") this.#editor.write(text)
    this.#rows = this.#editor.getCursorPos().rows
  }

  #answer(typed: string, key: Readline.Key, isOff: boolean): void {
    if (this.#question?.key(typed, isOff ? { name: "off" } : key) === true) this.#question = undefined
  }

  #ask<A>(
    text: string,
    make: (resolve: (answer: A | undefined) => void) => (typed: string, key: Readline.Key) => boolean,
    flow?: Flow
  ): Promise<A | undefined> {
    const answer = this.#questions.then(() =>
      flow?.isGivenUp === true ? undefined : new Promise<A | undefined>((resolve) => {
        if (flow !== undefined) this.#hidden ??= []
        // The line that is typed waits.
        const draft = this.#editor.line
        this.#take("")
        this.#show(terminalSafe(text))
        const done = (answer: A | undefined) => {
          this.#question = undefined
          this.#showText()
          this.#take(draft)
          resolve(answer)
        }
        const take = make(done)
        this.#question = {
          key: (typed, key) => {
            if (key.name !== "off") return take(typed, key)
            done(undefined)
            return true
          }
        }
        // What came before the question answers it.
        this.#retype(this.#hidden?.splice(0) ?? [])
      })
    )
    this.#questions = answer
    return answer
  }

  readonly #resized = (): void => {
    // What is too wide for its row is on the next one now: terminals wrap anew.
    const { rows } = this.#editor.getCursorPos()
    if (rows > this.#rows) Readline.moveCursor(this.#output, 0, this.#rows - rows)
    else this.#output.write("\n".repeat(this.#rows - rows))
    this.#rows = rows
  }

  // The shell has the terminal meanwhile, and all of `npm run` stops with it.
  #suspend(): void {
    this.#up(this.#rows)
    this.#output.write(pasteOff)
    this.#input.setRawMode(false)
    process.kill(0, "SIGTSTP")
    // Where no shell looks after it, it goes on at once.
    setTimeout(this.#resumed, 100)
  }

  readonly #resumed = (): void => {
    this.#input.setRawMode(true)
    this.#output.cork()
    this.#output.write(pasteOn)
    this.#draw()
    this.#output.uncork()
  }
}
