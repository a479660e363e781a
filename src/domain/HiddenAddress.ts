/** What is shown of an address that is hidden: who comes from the same network, and nothing more. Plain and total. */
import { createHmac } from "node:crypto"
import { Address } from "./Address.ts"

/** How many bytes a key has. */
export const keyBytes = 32

// Small letters and digits, as names that differ in case only are the same.
const letters = "abcdefghijklmnopqrstuvwxyz234567"

const hmac = (key: Uint8Array, text: string): Buffer => createHmac("sha256", key).update(text).digest()

/** The network under this key: `~abcdefgh`, which nobody can choose for a name. */
export const hide = (key: Uint8Array, network: string): Address =>
  Address(`~${Array.from(hmac(key, network).subarray(0, 8), (byte) => letters[byte % 32]).join("")}`)

/** The key of the UTC day of this time, in ms since 1970. */
export const keyOfDay = (key: Uint8Array, at: number): Uint8Array => hmac(key, new Date(at).toISOString().slice(0, 10))
