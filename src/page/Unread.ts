/** How much was said while the reader looked elsewhere: a count in the title, and a mark where it begins. */

const isAway = () => document.hidden || !document.hasFocus()

export interface Unread {
  /** Before these are shown. */
  readonly add: (count: number, isMention: boolean) => void
  /** What the title says besides. */
  readonly title: (text: string) => void
}

export const make = (begins: () => void): Unread => {
  let unread = 0
  let sign = ""
  let title = ""
  const show = () => {
    document.title = (unread === 0 ? "" : `(${unread}${sign}) `) + title
  }
  const back = () => {
    if (isAway()) return
    unread = 0
    sign = ""
    show()
  }
  addEventListener("focus", back)
  document.addEventListener("visibilitychange", back)
  return {
    add: (count, isMention) => {
      if (count === 0 || !isAway()) return
      if (unread === 0) begins()
      unread += count
      if (isMention) sign = "@"
      show()
    },
    title: (text) => {
      title = text
      show()
    }
  }
}
