/** Whether a text names somebody. */

// Where words are set apart by blanks. Chinese and its neighbours set none: there a name may stand anywhere.
const isSpaced = (character: string | undefined) =>
  character !== undefined && /[\w\p{sc=Latn}\p{sc=Cyrl}\p{sc=Grek}]/u.test(character)

export const mentions = (text: string, name: string): boolean => {
  const [inText, inName] = [text.toLowerCase(), name.toLowerCase()]
  if (inName === "") return false
  for (let at = inText.indexOf(inName); at >= 0; at = inText.indexOf(inName, at + 1)) {
    const end = at + inName.length
    const isInside = isSpaced(inName[0]) && isSpaced(inText[at - 1]) || isSpaced(inName.at(-1)) && isSpaced(inText[end])
    if (!isInside) return true
  }
  return false
}
