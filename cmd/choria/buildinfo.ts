import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { findNatsServer, NatsServerMissingError } from "../../lib/broker/mod.ts";
import { labelledLines } from "../../lib/cli/mod.ts";
import { catalogue, configFrom } from "../../lib/config/mod.ts";
import { errorText, version } from "../../lib/std/mod.ts";
import { dependencies, license } from "../../package.json" with { type: "json" };
import { type Row, serverSettings } from "./buildinfo/server_settings.ts";

/** Where a packaged server finds its provisioning token. */
const provisioningToken = "/etc/choria/provisioning.jwt";
const repository = join(import.meta.dir, "../..");

/** `choria buildinfo`: what this build is made of, and how its servers come to be provisioned. */
export function command(): Command {
  return new Command("buildinfo")
    .summary("Show what this build of Choria is made of")
    .description("Show what this build of Choria is made of, and how its servers come to be provisioned.")
    .option("-D, --dependencies", "list the packages it is built on as well")
    .option(
      "--jwt <file>",
      `provisioning token to look at (default: the one in CHORIA_PROVISIONING_JWT, else ${provisioningToken})`,
    )
    .addHelpText("after", "\nExample:\n  $ choria buildinfo --jwt provisioning.jwt")
    .action(async (flags: { dependencies?: boolean; jwt?: string }) => {
      const file = flags.jwt ?? (process.env.CHORIA_PROVISIONING_JWT || provisioningToken);
      const text = await report(file, flags.dependencies ?? false);
      process.stdout.write(`${text}\n`);
    });
}

async function report(tokenFile: string, withDependencies: boolean): Promise<string> {
  const parts = [
    "Choria build settings:",
    section("Build Data", buildData(), 13),
    section("Protocol Defaults and Settings", protocolDefaults(), 24),
    section("Network Broker Settings", await brokerSettings(), 30),
    section("Server Settings", serverSettings(tokenFile), 32),
    section("Security Defaults", securityDefaults(), 15),
    list("Agent Providers", [`Built-in Agents version ${version}`]),
  ];
  if (withDependencies) {
    parts.push(
      list(
        "Dependencies",
        Object.entries(dependencies).map((pair) => pair.join(" ")),
      ),
    );
  }
  return parts.join("\n\n");
}

function buildData(): Row[] {
  return [
    ["Version", version],
    ["Git SHA", (process.env.CHORIA_REVISION || gitCommit())?.slice(0, 8) ?? "unknown"],
    ["Build Date", "unknown"],
    ["License", license],
    ["Bun Version", Bun.version],
  ];
}

function protocolDefaults(): Row[] {
  return [
    ["Default Collectives", configFrom({}).collectives.join(", ")],
    ["Protocol Version", "2"],
  ];
}

async function brokerSettings(): Promise<Row[]> {
  const clients: Row = ["Maximum Network Clients", catalogue["plugin.choria.network.max_connections"].defaultText];
  try {
    const server = await findNatsServer();
    return [clients, ["NATS Server Version", server.version], ["NATS Server", server.path]];
  } catch (error) {
    const isAbsent = error instanceof NatsServerMissingError;
    return [clients, ["NATS Server", isAbsent ? "none here, only brokers need it" : errorText(error)]];
  }
}

function securityDefaults(): Row[] {
  return [
    ["TLS", "true"],
    ["x509 Security", "false"],
  ];
}

function section(title: string, rows: readonly Row[], width: number): string {
  const filled = rows.filter((row): row is readonly [string, string] => Boolean(row[1]));
  return [`${title}:`, "", ...labelledLines(filled, { width })].join("\n");
}

function list(title: string, items: readonly string[]): string {
  return [`${title}:`, "", ...items.map((item) => `  ${item}`)].join("\n");
}

/** The commit that this copy was checked out at; undefined where it is no checkout. */
function gitCommit(): string | undefined {
  try {
    const head = readFileSync(join(repository, ".git/HEAD"), "utf8").trim();
    const branch = /^ref: (.+)$/.exec(head)?.[1];
    const commit = branch === undefined ? head : readFileSync(join(repository, ".git", branch), "utf8").trim();
    return commit;
  } catch {
    return undefined;
  }
}
