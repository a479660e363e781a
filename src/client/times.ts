/** Times as people read them, in their language. */

const hours = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const
const forms = {
  clock: hours,
  seconds: { ...hours, second: "2-digit" },
  date: { dateStyle: "full" },
  moment: { dateStyle: "medium", timeStyle: "medium" }
} as const satisfies Record<string, Intl.DateTimeFormatOptions>

// Making one takes a hundred times as long as using it.
const made = new Map<string, Intl.DateTimeFormat>()

/** `ms`: since 1970. */
export const timeText = (locale: string, form: keyof typeof forms, ms: number): string => {
  const key = form + locale
  const format = made.get(key) ?? new Intl.DateTimeFormat(locale, forms[form])
  made.set(key, format)
  return format.format(ms)
}
