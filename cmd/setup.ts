import { resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import {
  Layout,
  type NetworkOptions,
  type Ports,
  prepareCompose,
  prepareNetwork,
  provisionedServers,
  runningPid,
  serverIdentities,
  startNetwork,
  stopNetwork,
  whileAlone,
} from "../lib/setup/mod.ts";
import { errorText, systemClock } from "../lib/std/mod.ts";

const checkout = resolve(import.meta.dir, "..");
const layout = new Layout(resolve(process.env.CHORIA_STATE ?? `${checkout}/.choria`));
const options: NetworkOptions = { layout, checkout, clock: systemClock, say: console.log };

function wholeNumber(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError("expected a whole number");
  return Number(text);
}

const withPorts = (command: Command) =>
  command
    .option("--broker-port <port>", "port of the broker (4222)", wholeNumber)
    .option("--stats-port <port>", "port of the broker's statistics (8222)", wholeNumber)
    .option("--aaa-port <port>", "port of the AAA service (8080)", wholeNumber)
    .option("--aaa-monitor-port <port>", "port of the AAA service's metrics (8081)", wholeNumber)
    .option("--provisioner-monitor-port <port>", "port of the provisioner's metrics (8083)", wholeNumber)
    .option("--nats-port <port>", "port of the NATS server outside the network (4223, or a free one)", wholeNumber)
    .option("--replicator-monitor-port <port>", "port of the replicator's metrics (8082, or a free one)", wholeNumber)
    .option("--plugins-port <port>", "port of the web server of plugins (any free one)", wholeNumber);

interface PortFlags {
  brokerPort?: number | undefined;
  statsPort?: number | undefined;
  aaaPort?: number | undefined;
  aaaMonitorPort?: number | undefined;
  provisionerMonitorPort?: number | undefined;
  natsPort?: number | undefined;
  replicatorMonitorPort?: number | undefined;
  pluginsPort?: number | undefined;
}

function askedPorts(flags: PortFlags): Partial<Ports> {
  const asked = {
    broker: flags.brokerPort,
    stats: flags.statsPort,
    aaa: flags.aaaPort,
    aaaMonitor: flags.aaaMonitorPort,
    provisionerMonitor: flags.provisionerMonitorPort,
    nats: flags.natsPort,
    replicatorMonitor: flags.replicatorMonitorPort,
    plugins: flags.pluginsPort,
  };
  return Object.fromEntries(Object.entries(asked).filter(([, port]) => port !== undefined));
}

async function up(flags: PortFlags & { servers: number }): Promise<void> {
  const begin = Date.now();
  const ports = await whileAlone(options, async () => {
    const chosen = await prepareNetwork(options, askedPorts(flags));
    await startNetwork(options, chosen, { servers: flags.servers });
    return chosen;
  });
  console.log(`The network is up, ${((Date.now() - begin) / 1_000).toFixed(1)} s. Now try:

  ./choria login                     user choria, password secret (or admin, streams)
  ./choria ping
  ./choria req choria_util info

Once there is a stream CHORIA_REGISTRATION, it is copied to nats://127.0.0.1:${ports.nats}, outside the network.
Logs are in ${resolve(layout.root, "logs")}; ./setup.sh down stops everything.`);
}

async function down(): Promise<void> {
  const stopped = await stopNetwork(options);
  console.log(stopped.length === 0 ? "Nothing was running" : `Stopped ${stopped.join(", ")}`);
}

function status(): void {
  for (const name of ["broker", "aaa", "plugins", "provisioner", "nats", "replicator"]) {
    const pid = runningPid(layout, name);
    console.log(`${name.padEnd(12)} ${pid === undefined ? "not running" : `running, process ${pid}`}`);
  }
  const running = serverIdentities(9_999).filter((id) => runningPid(layout, `server-${id}`) !== undefined);
  console.log(
    `${"servers".padEnd(12)} ${running.length} running, ${provisionedServers(layout, running).length} provisioned`,
  );
}

const program = new Command("setup.sh")
  .description(
    "A Choria network on this machine. Without a command: create the credentials and configuration of it and of the network in containers, and its images where Docker runs.",
  )
  .helpCommand(true)
  .enablePositionalOptions();
withPorts(program).action(async (flags: PortFlags) => {
  await whileAlone(options, async () => {
    await prepareNetwork(options, askedPorts(flags));
    await prepareCompose({ folder: resolve(layout.root, "compose"), checkout });
  });
  console.log(`Credentials and configuration are in ${layout.root}. Next, one of:

  ./setup.sh up                                     the network on this machine
  docker-compose up --scale server.choria=10        the network in containers`);
});
withPorts(program.command("up").description("Start the network in the background"))
  .option("--servers <count>", "how many servers", wholeNumber, 10)
  .action(up);
program.command("down").description("Stop what up started").action(down);
program.command("status").description("Show what is running").action(status);

try {
  await program.parseAsync();
} catch (error) {
  console.error(`setup.sh: ${errorText(error)}`);
  process.exitCode = 1;
}
