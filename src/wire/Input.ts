/** How a line of somebody is read. */
import type { Command } from "./Command.ts"

/** A command, and what the answer to it is asked to hold. */
export interface Request {
  readonly command: Command
  readonly id: string | number | undefined
}

export type Read = (line: string) => Request
