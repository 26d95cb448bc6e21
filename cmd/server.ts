import { parseArgs } from "node:util";
import { runServer } from "../lib/server/mod.ts";
import { errorText, version } from "../lib/std/mod.ts";

const usage = `Usage: server --config FILE [--pid FILE] [--service-host]

The Choria server: hosts agents on a node and answers requests for them.

Options:
  --config FILE   configuration file; a node that is still to be provisioned may lack it
  --pid FILE      write the process id to this file
  --service-host  host service agents only
  --version       show the version
  --help          show this help
`;

// Every node of a fleet keeps this process in memory, so the arguments are read without commander's 2.5 MB.
function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      config: { type: "string" },
      pid: { type: "string" },
      "service-host": { type: "boolean", default: false },
      version: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  // Service units written for the original say `server run`.
  const surplus = positionals.filter((argument, at) => !(at === 0 && argument === "run"));
  if (surplus.length > 0) throw new Error(`unexpected argument ${surplus[0]}`);
  return values;
}

async function main(): Promise<void> {
  const { config, pid, help, version: showVersion, "service-host": serviceHost } = readArguments();
  if (help) return console.log(usage);
  if (showVersion) return console.log(version);
  if (config === undefined) throw new Error("server run requires a configuration file");
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => controller.abort());
  const pidFile = pid === undefined ? {} : { pidFile: pid };
  await runServer({ configFile: config, serviceHost, signal: controller.signal, ...pidFile }).closed;
}

try {
  await main();
  process.exit(0);
} catch (error) {
  console.error(`Could not run Choria: ${errorText(error)}`);
  process.exit(1);
}
