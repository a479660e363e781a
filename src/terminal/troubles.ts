/** Why there is no connection, in words. */
import type { Wording } from "./Language.ts"
import type { Target, Trouble } from "./Link.ts"

export const troubleText = ({ say }: Wording, { host, port }: Target, trouble: Trouble): string => {
  const where = `${host.includes(":") ? `[${host}]` : host}:${port}`
  switch (trouble.is) {
    case "unreachable":
      return say("unreachable", where, trouble.why)
    case "silent":
      return say("unreachable", where, say("silent"))
    case "disconnected":
      return say("disconnected")
    case "noTls":
    case "noTellnet":
      return say(trouble.is, where)
    case "untrusted":
      return say("untrusted", trouble.why, trouble.fingerprint)
    case "otherCertificate":
      return say("otherCertificate", trouble.fingerprint)
    case "refused":
      return say("refused", trouble.text)
  }
}
