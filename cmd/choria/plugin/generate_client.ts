import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { parseDdl } from "../../../lib/ddl/mod.ts";
import { isFile, writeFileAtomic } from "../../../lib/std/mod.ts";

const examples = `
Example:
  mkdir requests
  choria plugin generate client ~/.config/choria/registry/agent/requests.json requests

A program then calls the agent like this:

  import { connectFleet, loadConfig } from "choria";
  import { RequestsClient } from "./requests/mod.ts";

  await using fleet = await connectFleet(loadConfig("client.conf", { kind: "client" }));
  const client = new RequestsClient(fleet, { filter: { facts: ["country=mt"] } });
  for await (const reply of client.request({ url: "https://example.net" })) {
    console.log(reply.sender, reply.ok ? reply.data.statuscode : reply.statusmsg);
  }`;

/** `choria plugin generate client`: a typed client from a DDL. */
export function generateClientCommand(): Command {
  return new Command("client")
    .description("Generate a TypeScript client of an agent, with typed inputs and outputs.")
    .argument("<ddl>", "file with the agent's DDL")
    .argument("<folder>", "folder that the client is written to, which must exist")
    .option("--library <name>", "what the client imports the library from, as choria or ../../mod.ts", "choria")
    .addHelpText("after", examples)
    .action((file: string, folder: string, { library }: { library: string }) => writeClient(file, folder, library));
}

async function writeClient(file: string, folder: string, library: string): Promise<void> {
  if (!isFile(file)) throw new Error(`path '${file}' does not exist`);
  if (!isFolder(folder)) throw new Error(`path '${folder}' does not exist`);
  const { generateClient } = await import("../../../lib/codegen/mod.ts");
  const ddl = parseDdl(readFileSync(file, "utf8"), file);
  const files = generateClient(ddl, { library });
  const { name, version } = ddl.metadata;
  log(`Writing Choria Client for Agent ${name} Version ${version} to ${folder}`);
  for (const { name: target, text, action } of files) {
    const path = join(folder, target);
    log(`Writing ${path}${action === undefined ? "" : ` for action ${action}`}`);
    writeFileAtomic(path, text);
  }
}

function log(text: string): void {
  const seconds = Math.floor(performance.now() / 1_000);
  process.stdout.write(`INFO[${String(seconds).padStart(4, "0")}] ${text}\n`);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
