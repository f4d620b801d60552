// Says how Claude Desktop would start the program of a bundle, by the library that
// Claude Desktop's own tool has for it: without any answer of the person, and with
// some. The arguments must be those that mcpauth expects.
//
//   node start.mjs FOLDER      the unpacked bundle
import { readFileSync, statSync } from "node:fs";
import { deepStrictEqual } from "node:assert";
import { join } from "node:path";
import { getMcpConfigForManifest } from "@anthropic-ai/mcpb";

const folder = process.argv[2];
const manifest = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
const start = (userConfig) =>
  getMcpConfigForManifest({ manifest, extensionPath: folder, systemDirs: {}, userConfig, pathSeparator: "/" });

const empty = await start({});
deepStrictEqual(empty.args, ["proxy", "--profile=", "--"]);
const filled = await start({ profile: "work", command: ["python3", "/srv/orders/main.py"] });
deepStrictEqual(filled.args, ["proxy", "--profile=work", "--", "python3", "/srv/orders/main.py"]);
for (const name of ["mcpauth", "mcpauth.exe", "mcpauth-linux"]) {
  statSync(join(folder, "server", name));
}
console.log(`starts ${empty.command} ${filled.args.join(" ")}`);
