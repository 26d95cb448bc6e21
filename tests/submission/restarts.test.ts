import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { jetstreamManager, StorageType } from "@nats-io/jetstream";
import { formatConf } from "../../lib/config/mod.ts";
import { type Connection, connectBroker } from "../../lib/connector/mod.ts";
import { silentLogger, systemClock } from "../../lib/std/mod.ts";
import { Spool } from "../../lib/submission/mod.ts";
import { testBrokerSettings } from "../support/broker.ts";
import { temporaryFolder } from "../support/folder.ts";
import { TestOrganization } from "../support/organization.ts";
import { freePort } from "../support/ports.ts";
import { waitFor } from "../support/wait.ts";

const programs = resolve(import.meta.dir, "../../cmd");
const organization = new TestOrganization();
const folder = temporaryFolder();
const children = new Set<Bun.Subprocess>();

const total = 2_000;
const serverRuns = 20;
/** After which runs of the server the broker is started anew, and how it ends. */
const brokerEnds = new Map<number, "SIGTERM" | "SIGKILL">([
  [2, "SIGTERM"],
  [6, "SIGKILL"],
  [10, "SIGTERM"],
  [14, "SIGKILL"],
  [17, "SIGTERM"],
]);

afterEach(async () => {
  for (const child of children) await end(child, "SIGKILL");
  folder[Symbol.dispose]();
});

function launch(program: string, args: readonly string[]): Bun.Subprocess {
  const child = Bun.spawn([process.execPath, "run", join(programs, program), ...args], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  children.add(child);
  return child;
}

async function end(child: Bun.Subprocess, signal: NodeJS.Signals): Promise<void> {
  child.kill(signal);
  await child.exited;
  children.delete(child);
}

async function launchBroker(port: number): Promise<Bun.Subprocess> {
  const log = folder.file("broker.log");
  const settings = { "plugin.choria.network.client_port": String(port), logfile: log };
  const conf = await testBrokerSettings(folder.file, { organization, settings });
  writeFileSync(folder.file("broker.conf"), formatConf(Object.entries(conf)));
  const from = existsSync(log) ? readFileSync(log, "utf8").length : 0;
  const child = launch("broker.ts", ["--config", folder.file("broker.conf")]);
  await waitFor("the broker", () => existsSync(log) && readFileSync(log, "utf8").slice(from).includes("is ready"));
  return child;
}

async function writeServerConfig(port: number): Promise<string> {
  const identity = "n1.example.net";
  const member = await organization.server({ identity, collectives: ["choria"], permissions: { submission: true } });
  const { tokenFile, seedFile } = member.save(folder.file("n1"));
  const settings = {
    identity,
    logfile: "discard",
    rpcauthorization: "0",
    "plugin.security.provider": "choria",
    "plugin.security.choria.token_file": tokenFile,
    "plugin.security.choria.seed_file": seedFile,
    "plugin.security.issuer.names": "choria",
    "plugin.security.issuer.choria.public": organization.issuer.publicKey,
    "plugin.choria.middleware_hosts": `127.0.0.1:${port}`,
    "plugin.choria.submission.spool": folder.file("spool"),
  };
  const file = folder.file("server.conf");
  writeFileSync(file, formatConf(Object.entries(settings)));
  return file;
}

async function connectOperator(port: number): Promise<Connection> {
  const { token, key } = await organization.client({ callerid: "up=admin", permissions: { org_admin: true } });
  return connectBroker({
    servers: [`127.0.0.1:${port}`],
    name: "operator",
    login: () => ({ token, key }),
    inboxPrefix: "choria.reply.operator",
    logger: silentLogger,
    reconnectSteps: [50],
  });
}

describe("2,000 reliable messages", () => {
  test("arrive once each although the server is killed 20 times and the broker ends 5 times", async () => {
    const port = await freePort();
    let broker = await launchBroker(port);
    await using operator = await connectOperator(port);
    const manager = await jetstreamManager(operator.nats);
    const subjects = ["choria.submission.in.>"];
    // However slow the machine, a message is sent again within the time in which the stream knows it.
    const window = 600_000_000_000;
    await manager.streams.add({ name: "SUBMIT", subjects, storage: StorageType.File, duplicate_window: window });
    const stored = async () => (await manager.streams.info("SUBMIT")).state.messages;
    const config = await writeServerConfig(port);
    const spool = new Spool({ folder: folder.file("spool"), maxSize: 5_000, clock: systemClock });
    const waiting = () => [0, 1, 2, 3, 4].reduce((sum, priority) => sum + spool.names(priority).length, 0);
    let submitted = 0;
    const submit = (count: number) => {
      for (let i = 0; i < count; i++, submitted++) {
        const payload = Buffer.from(String(submitted));
        spool.submit({
          subject: "acme.news",
          payload,
          sender: "test",
          identity: "n1",
          priority: submitted % 5,
          reliable: true,
        });
      }
    };
    let interrupted = 0;
    for (let run = 0; run < serverRuns; run++) {
      submit(total / serverRuns);
      const before = await stored();
      const server = launch("server.ts", ["run", "--config", config]);
      await waitFor("some messages to arrive", async () => (await stored()) > before + (run % 7) * 10, 20_000);
      const brokerEnd = brokerEnds.get(run);
      // The server has messages on their way when either ends.
      if (brokerEnd !== undefined) await end(broker, brokerEnd);
      await end(server, run % 2 === 0 ? "SIGKILL" : "SIGTERM");
      if (waiting() > 0) interrupted++;
      if (brokerEnd !== undefined) {
        broker = await launchBroker(port);
        await waitFor("the operator to be back", () => operator.server !== "");
      }
    }
    expect(submitted).toBe(total);
    expect(interrupted).toBeGreaterThan(5);
    const last = launch("server.ts", ["run", "--config", config]);
    await waitFor("the spool to be empty", () => waiting() === 0, 30_000);
    await end(last, "SIGTERM");
    const { messages, last_seq } = (await manager.streams.info("SUBMIT")).state;
    expect({ messages, last_seq }).toEqual({ messages: total, last_seq: total });
    const texts = new Set<string>();
    for (let seq = 1; seq <= total; seq++)
      texts.add((await manager.streams.getMessage("SUBMIT", { seq }))?.string() ?? "");
    expect(texts.size).toBe(total);
    await end(broker, "SIGTERM");
  }, 120_000);
});
