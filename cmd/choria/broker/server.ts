import { Command } from "commander";
import { checkCommand } from "./server/check.ts";
import { accountsCommand, connectionsCommand } from "./server/connections.ts";
import { cpuReport, healthReport, memoryReport } from "./server/health.ts";
import { infoCommand, requestCommand } from "./server/info.ts";
import { jetstreamReport } from "./server/jetstream.ts";
import { gatewaysReport, leafnodesReport, routesReport } from "./server/links.ts";
import { reportCommand } from "./server/report.ts";
import { listCommand, pingCommand } from "./server/servers.ts";

const examples = `
Examples:
  choria broker server list
  choria broker server report connections --top 10
  choria broker server report jetstream

Needs a token that may use the system account, and in the client's and the broker's configuration:
  plugin.choria.network.system.user = system
  plugin.choria.network.system.password = SECRET`;

/** `choria broker server`: what the brokers do. */
export function serverCommand(): Command {
  const server = new Command("server")
    .aliases(["srv", "sys", "system"])
    .description("See what the brokers do, and check them.")
    .addHelpText("after", examples);
  const report = new Command("report").alias("rep").description("Show figures of the brokers.");
  report.addCommand(accountsCommand()).addCommand(connectionsCommand());
  const reports = [
    cpuReport,
    gatewaysReport,
    healthReport,
    jetstreamReport,
    leafnodesReport,
    memoryReport,
    routesReport,
  ];
  for (const one of reports) report.addCommand(reportCommand(one));
  for (const part of [checkCommand(), infoCommand(), listCommand(), pingCommand(), report, requestCommand()]) {
    server.addCommand(part);
  }
  return server;
}
