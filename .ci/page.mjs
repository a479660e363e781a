/**
 * Makes the web page: what a door serves, each file as it is and compressed beforehand. Fails if the page gets too large.
 * Run alone it takes a folder: `node .ci/page.mjs FOLDER`.
 */
import { build } from "esbuild"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { brotliCompress, constants, gzip } from "node:zlib"

const source = fileURLToPath(new URL("../src/page/", import.meta.url))

/** Bytes that may cross the wire, compressed. */
const limits = { "page.js": 12 * 1024, "page.css": 4 * 1024 }

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;")
const inBoth = ([zh, en]) => `data-zh="${escaped(zh)}" data-en="${escaped(en)}"`

/** `index.html` with all words in it, in both languages: so the script carries none of them. */
export const makeIndex = async () => {
  const { both, commands, page } = JSON.parse(await readFile(`${source}../client/words.json`, "utf8"))
  const texts = Object.entries({ ...both, ...page }).map(([key, words]) => `<p id="${key}" ${inBoth(words)}></p>`)
  const help = Object.entries(commands).map(([usage, words]) => `<dt>${escaped(usage)}</dt><dd ${inBoth(words)}></dd>`)
  const html = await readFile(`${source}index.html`, "utf8")
  return Buffer.from(html.replace("<!-- texts -->", () => texts.join("\n")).replace("<!-- help -->", () => help.join("\n")))
}

/** Gives the files of the page by their names: `page.js`, `page.js.br`, `page.js.gz` and so on. */
export const makePage = async () => {
  const { outputFiles } = await build({
    entryPoints: { page: `${source}main.ts`, style: `${source}page.css` },
    outdir: "page",
    bundle: true,
    minify: true,
    // As it is: an escape for each Chinese character costs a third more.
    charset: "utf8",
    // Names of its own, which neither an element nor a line of the server has.
    mangleProps:
      /^(?:answered|asked|catchUp|caughtUp|changeSecret|changed|chosen|cleared|disowned|dropped|hear|is(?:CatchingUp|Gap|OlderThere|Owned|Ready|Seen|Shown)|listRooms|markUnread|moved|named|naming|openAt|opened|outbox|refusal|rename|said|sent(?:As|At)|toEnd|told|unmark|wantedRoom)$/,
    write: false,
    platform: "browser",
    format: "esm",
    // What has `light-dark`, `oklch` and `content-visibility`; so that the style is not rewritten for older ones.
    target: ["chrome125", "firefox130", "safari18"],
    logLevel: "warning"
  })
  const bundled = (end) => Buffer.from(outputFiles.find(({ path }) => path.endsWith(end)).contents)
  const files = {
    "index.html": await makeIndex(),
    "icon.svg": await readFile(`${source}icon.svg`),
    "page.js": bundled(".js"),
    "page.css": bundled(".css")
  }
  const page = new Map()
  for (const [name, bytes] of Object.entries(files)) {
    const br = await promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } })
    const gz = await promisify(gzip)(bytes, { level: 9 })
    const limit = limits[name] ?? Infinity
    if (br.length > limit) throw new Error(`${name} has ${br.length} bytes by brotli, and may have ${limit}`)
    page.set(name, bytes).set(`${name}.br`, br).set(`${name}.gz`, gz)
  }
  return page
}

/** Writes them into the folder, and gives how many bytes each has. */
export const buildPage = async (folder) => {
  await mkdir(folder, { recursive: true })
  const page = await makePage()
  for (const [name, bytes] of page) await writeFile(`${folder}/${name}`, bytes)
  return Object.fromEntries(Array.from(page, ([name, { length }]) => [name, length]))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.table(await buildPage(process.argv[2] ?? "dist/page"))
