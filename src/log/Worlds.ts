/** Worlds that others are being told of, part by part. */
import * as Requests from "./Requests.ts"
import * as Snapshot from "./Snapshot.ts"

// So many are told of at once: the older ones begin anew.
const fewWorlds = 3

export class Worlds {
  private readonly texts = new Map<string, string>()

  /** The first part of a world, as an answer. */
  begin(taken: Snapshot.Taken, token: string): Uint8Array | undefined {
    for (const old of Array.from(this.texts.keys()).slice(0, -fewWorlds + 1)) this.texts.delete(old)
    this.texts.set(token, Snapshot.encode(taken))
    return this.part(token, 0)
  }

  /** A further part; `undefined`: it is not known any more. */
  part(token: string, part: number): Uint8Array | undefined {
    const text = this.texts.get(token)
    if (text === undefined) return undefined
    const parts = Math.ceil(text.length / Requests.partUnits)
    if (part >= parts) return undefined
    // Whoever has the last one asks for no more.
    if (part === parts - 1) this.texts.delete(token)
    const at = part * Requests.partUnits
    return Requests.reply.encode({ _tag: "Part", token, parts, text: text.slice(at, at + Requests.partUnits) })
  }
}
