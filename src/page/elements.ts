/** Elements of the page. Text is always text: nothing that somebody says can become markup. */
import { parts } from "./Links.ts"

type Tags = HTMLElementTagNameMap

export const make = <Tag extends keyof Tags>(
  tag: Tag,
  attributes: Readonly<Record<string, string>> = {},
  ...children: ReadonlyArray<Node | string>
): Tags[Tag] => {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children)
  return element
}

/** The element of `index.html` with this id. */
export const find = <E extends HTMLElement>(id: string, type: new() => E): E => {
  const element = document.getElementById(id)
  if (!(element instanceof type)) throw new Error(id)
  return element
}

export const button = (id: string) => find(id, HTMLButtonElement)
export const box = (id: string) => find(id, HTMLElement)

/** A text with its links. */
export const linked = (text: string): ReadonlyArray<Node | string> =>
  parts(text).map(({ isLink, text }) =>
    isLink === undefined
      ? text
      : make("a", { href: text, target: "_blank", rel: "noopener noreferrer nofollow ugc" }, text)
  )
