/**
 * The lines of those who count: `#7 some text`, the text a function of who says it and of the number. So whoever reads
 * a line knows what it must be, without a record of what was sent.
 */

// Code points, not UTF-16 units, so that no cut halves a character.
const material = Array.from(
  "The quick brown fox jumps over the lazy dog. 敏捷的棕色狐狸跳过了懒狗。Съешь ещё этих мягких французских булок, да выпей чаю. "
    + "Zażółć gęślą jaźń. いろはにほへと ちりぬるを 🙂🎉👩‍👩‍👧‍👦 a|b|c\ttab /slash //double [127.0.0.1:1]bob:hi *** 你被踢了 对您说: "
)

/** One line in thirty-one is a long one, still below the server's limit. */
const lengthOf = (id: number, number: number) => (id + number) % 31 === 0 ? 180 : 8 + ((id * 7 + number * 13) % 60)

export const textOf = (id: number, number: number): string => {
  const start = (id * 31 + number * 17) % (material.length - 1)
  const length = lengthOf(id, number)
  let text = `#${number} `
  for (let i = 0; i < length; i++) text += material[(start + i) % material.length]
  // A full stop at the end: whether the server trims blanks is not asked here.
  return `${text}.`
}

export const numberOf = (text: string): number | undefined => {
  const match = /^#(\d+) /.exec(text)
  return match === null ? undefined : Number(match[1])
}

/** What those who reset leave without a line break. */
export const halfLine = "half a li"
