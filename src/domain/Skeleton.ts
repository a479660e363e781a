/** Skeletons of UTS #39, section 4: texts that look alike have the same one. The data knows letters, marks and digits only. */
import confusables from "./confusables/confusables.json" with { type: "json" }

let prototypes: ReadonlyMap<string, string> | undefined

// Made when a name is chosen for the first time: a start must not wait for it.
const read = (): ReadonlyMap<string, string> =>
  new Map(
    confusables.pairs.trimEnd().split("\n").map((pair) => {
      const [look = ""] = pair
      return [look, pair.slice(look.length)]
    })
  )

/** The skeleton of a text. What it costs is linear in the text, but for the normalisation. */
export const skeleton = (text: string): string => {
  prototypes ??= read()
  let prototype = ""
  for (const character of text.normalize("NFD")) prototype += prototypes.get(character) ?? character
  return prototype.normalize("NFD")
}
