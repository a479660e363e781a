/** The colour of a name, in degrees (FNV-1a: one letter more is another colour). */
export const hue = (name: string): number => {
  let hash = 2_166_136_261
  for (const character of name) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 16_777_619)
  // Short names differ in their low bits only.
  return (Math.imul(hash ^ hash >>> 15, 2_246_822_507) >>> 8) % 360
}
