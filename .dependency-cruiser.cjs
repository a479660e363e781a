/**
 * The arrows between the folders of src: doors -> chat -> wire, log -> ops -> domain; page, terminal -> client -> wire. Only `Server.ts`, `main.ts` and what
 * configures them see everything.
 */
const outside = (folder, ...allowed) => ({
  name: `${folder} knows only what is below it`,
  severity: "error",
  from: { path: `^src/${folder}/` },
  to: { path: "^src/", pathNot: [`^src/(${[folder, ...allowed].join("|")})/`, "^src/ServerConfig.ts$"] }
})

module.exports = {
  forbidden: [
    outside("doors", "chat", "wire", "ops", "domain"),
    outside("chat", "wire", "log", "ops", "domain"),
    outside("wire", "domain"),
    outside("log", "ops", "domain"),
    outside("ops", "domain"),
    outside("domain"),
    outside("client", "wire", "domain"),
    outside("page", "client", "wire", "domain"),
    outside("terminal", "client", "wire", "domain"),
    {
      name: "clients have none of the server's code but what is plain",
      severity: "error",
      from: { path: "^src/(client|page|terminal)/" },
      to: { path: "^src/", pathNot: "^src/(client/|page/|terminal/|wire/(JsonLines|Slip|Operator.*).ts$|domain/Text.ts$)", dependencyTypesNot: ["type-only"] }
    },
    { name: "nothing goes in a circle", severity: "error", from: {}, to: { circular: true } }
  ],
  options: { doNotFollow: { path: "node_modules" }, tsPreCompilationDeps: true, tsConfig: { fileName: "tsconfig.json" } }
}
