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

/** Writes the page into the folder, and gives how large each file is: as it is, by brotli, by gzip. */
export const buildPage = async (folder) => {
  const { outputFiles } = await build({
    entryPoints: { page: `${source}main.ts`, style: `${source}page.css` },
    outdir: folder,
    bundle: true,
    minify: true,
    // As it is: an escape for each Chinese character costs a third more.
    charset: "utf8",
    write: false,
    platform: "browser",
    format: "esm",
    // What has `light-dark`, `oklch` and `content-visibility`; so that the style is not rewritten for older ones.
    target: ["chrome125", "firefox130", "safari18"],
    logLevel: "warning"
  })
  const bundled = (end) => Buffer.from(outputFiles.find(({ path }) => path.endsWith(end)).contents)
  const files = {
    "index.html": await readFile(`${source}index.html`),
    "icon.svg": await readFile(`${source}icon.svg`),
    "page.js": bundled(".js"),
    "page.css": bundled(".css")
  }
  await mkdir(folder, { recursive: true })
  const sizes = {}
  for (const [name, bytes] of Object.entries(files)) {
    const br = await promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } })
    const gz = await promisify(gzip)(bytes, { level: 9 })
    const limit = limits[name] ?? Infinity
    if (br.length > limit) throw new Error(`${name} has ${br.length} bytes by brotli, and may have ${limit}`)
    await writeFile(`${folder}/${name}`, bytes)
    await writeFile(`${folder}/${name}.br`, br)
    await writeFile(`${folder}/${name}.gz`, gz)
    sizes[name] = { plain: bytes.length, br: br.length, gz: gz.length }
  }
  return sizes
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.table(await buildPage(process.argv[2] ?? "dist/page"))
