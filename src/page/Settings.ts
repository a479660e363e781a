/** What this browser remembers: language, theme, and a name with its secret only if that is asked for. */
import { timeText } from "../client/times.ts"
import { fill, type PageKey, type Say, type Words } from "../client/Words.ts"

type Language = "zh" | "en"

// Storage can be forbidden; the page goes on without.
const stored = (storage: () => Storage, key: string): string | undefined => {
  try {
    return storage().getItem(key) ?? undefined
  } catch {
    return undefined
  }
}
const store = (storage: () => Storage, key: string, value: string | undefined): void => {
  try {
    if (value === undefined) storage().removeItem(key)
    else storage().setItem(key, value)
  } catch {
    // As above.
  }
}
const device = () => localStorage
const tab = () => sessionStorage

const isLanguage = (text: string | undefined): text is Language => text === "zh" || text === "en"
const first = stored(device, "language")
let language: Language = isLanguage(first) ? first : navigator.language.startsWith("zh") ? "zh" : "en"

const texts = document.querySelector("template")?.content
/** The words in the language of the page. */
export const words = (key: Parameters<Words>[0] | PageKey, ...values: ReadonlyArray<string | number>) => {
  const text = texts?.getElementById(key)?.dataset[language]
  return text === undefined ? undefined : fill(text, values)
}
/** Of a key that the page has. */
export const say: Say<PageKey> = (key, ...values) => words(key, ...values) ?? key
export const inLanguage = ({ dataset }: HTMLElement): string => dataset[language] ?? ""
export const locale = (): string => language === "zh" ? "zh-CN" : "en"
export const timeIn = (form: Parameters<typeof timeText>[1], ms: number): string => timeText(locale(), form, ms)
export const switchLanguage = (): void => {
  language = language === "zh" ? "en" : "zh"
  store(device, "language", language)
}

export const themes = ["auto", "light", "dark"] as const
export type Theme = typeof themes[number]
export const theme = (): Theme => themes.find((theme) => theme === stored(device, "theme")) ?? "auto"
export const nextTheme = (): void => {
  store(device, "theme", themes[(themes.indexOf(theme()) + 1) % themes.length])
}

/** The name survives a reload of this tab; the secret, only by wish, this browser's end. */
export const keepName = (name: string, secret: string | undefined): void => {
  store(tab, "name", name)
  store(device, "name", secret === undefined ? undefined : name)
  store(device, "secret", secret)
}
export const keptName = (): { readonly name: string | undefined; readonly secret: string | undefined } => {
  const kept = stored(device, "name")
  const name = stored(tab, "name") ?? kept
  return { name, secret: name === kept ? stored(device, "secret") : undefined }
}
