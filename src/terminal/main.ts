#!/usr/bin/env node
/** The terminal client: a talk for a person where there is a terminal, and lines in and out where there is a pipe. */
import { readFileSync } from "node:fs"
import { trimmed } from "../domain/Text.ts"
import { parse } from "./Args.ts"
import { languageOf, wordsIn } from "./Language.ts"
import { pipe } from "./Piped.ts"
import { talk } from "./Talk.ts"

const run = async (): Promise<number> => {
  const { env, stderr, stdin, stdout } = process
  const parsed = parse(process.argv.slice(2))
  if ("words" in parsed) {
    ;(parsed.code === 0 ? stdout : stderr).write(parsed.words)
    return parsed.code
  }
  const { language, name, room, secretFile, ...target } = parsed.wanted
  const wording = wordsIn(language ?? languageOf(env))
  let secret: string | undefined
  try {
    secret = secretFile === undefined ? undefined : trimmed(readFileSync(secretFile, "utf8").split(/\r?\n/)[0] ?? "")
  } catch (error) {
    stderr.write(`*** ${wording.say("secretFile", error instanceof Error ? error.message : String(error))}\n`)
    return 1
  }
  const beginning = { target, wording, name, secret, room }
  // A dumb terminal has no cursor to move.
  return stdin.isTTY && stdout.isTTY && env["TERM"] !== "dumb"
    ? talk(stdin, stdout, beginning)
    : pipe(stdin, stdout, stderr, beginning)
}

const code = await run()
// What is written goes out first.
process.stdout.write("", () => process.exit(code))
