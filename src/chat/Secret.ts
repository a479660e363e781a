/** Secrets of names: which may be chosen, and what is kept of one. Nothing here is ever logged or shown. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Crypto from "node:crypto"
import { trimmed } from "../domain/Text.ts"

// No longer text comes to 128 bytes, unless it is blanks.
const longestText = 1024

export type Secret = Redacted.Redacted

/** A text as a secret: NFC, 6 code points to 128 bytes, without U+FFFD; blanks at both ends are cut. */
export const choose = (text: string): Option.Option<Secret> => {
  // Before it is normalised: marks out of order make that slow.
  if (text.length > longestText) return Option.none()
  const secret = trimmed(text).normalize("NFC")
  const isLong = Array.from(secret).length >= 6
  return isLong && Buffer.byteLength(secret) <= 128 && !secret.includes("\ufffd")
    ? Option.some(Redacted.make(secret))
    : Option.none()
}

// RFC 7914; what OWASP's Password Storage Cheat Sheet names beside N = 2^17 with p = 1 as its equal for p = 3 is 2^15; here
// two are made at once, on machines that have other things to do. Node's own limit of memory refuses it.
const cost = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1_048_576 }
const hashBytes = 32

/** What is kept: a salt, and the hash of the secret with it, in hexadecimal digits. */
export interface Hashed {
  readonly salt: string
  readonly hash: string
}

const scrypt = (secret: Secret, salt: Buffer): Effect.Effect<Buffer> =>
  Effect.async((resume) =>
    Crypto.scrypt(
      Redacted.value(secret),
      salt,
      hashBytes,
      cost,
      (error, hash) => resume(error === null ? Effect.succeed(hash) : Effect.die(error))
    )
  )

/** Takes 32 MiB and some 100 ms of a thread. */
export const hash = (secret: Secret): Effect.Effect<Hashed> =>
  Effect.suspend(() => {
    const salt = Crypto.randomBytes(16)
    return Effect.map(scrypt(secret, salt), (hash) => ({ salt: salt.toString("hex"), hash: hash.toString("hex") }))
  })

/** Whether it is the secret that was hashed. Likewise; how long it takes says nothing about either. */
export const matches = (secret: Secret, { hash, salt }: Hashed): Effect.Effect<boolean> =>
  Effect.map(scrypt(secret, Buffer.from(salt, "hex")), (found) => {
    const kept = Buffer.from(hash, "hex")
    return kept.length === found.length && Crypto.timingSafeEqual(kept, found)
  })
