import { chmodSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseDdl } from "../../lib/ddl/mod.ts";
import { type ExternalAgentOptions, externalAgent } from "../../lib/external/mod.ts";
import { decodeRpcReply, emptyFilter, newRequest, type RpcReply } from "../../lib/protocol/mod.ts";
import type { Agent, AgentMessage } from "../../lib/rpc/mod.ts";
import { encodeUtf8, silentLogger } from "../../lib/std/mod.ts";

/** An agent of one action `run`, or of others, as its DDL has it. */
export function ddlOf(name: string, options: { version?: string; timeout?: number; service?: boolean } = {}): string {
  const { version = "1.0.0", timeout = 5, service } = options;
  return JSON.stringify({
    $schema: "https://choria.io/schemas/mcorpc/ddl/v1/agent.json",
    metadata: {
      name,
      description: "An agent of a test",
      author: "tests",
      license: "Apache-2.0",
      version,
      url: "https://example.net",
      timeout,
      provider: "external",
      ...(service === undefined ? {} : { service }),
    },
    actions: [
      {
        action: "run",
        description: "Run",
        display: "always",
        input: { word: { prompt: "Word", description: "A word", type: "string", optional: true, maxlength: 5 } },
        output: { shown: { description: "Shown", display_as: "Shown", type: "string", default: "nothing" } },
      },
    ],
  });
}

/** Write an executable shell script. */
export function writeScript(path: string, body: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** Write a file that looks as if nobody had touched it for a minute. */
export function writeSettled(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  settle(path);
}

/** Make a file look as if nobody had touched it for a while. */
export function settle(path: string, seconds = 60): void {
  const then = Date.now() / 1_000 - seconds;
  utimesSync(path, then, then);
}

/** Shell code that answers the question whether the agent is active, and goes on otherwise. */
export const activates = `case "$CHORIA_EXTERNAL_PROTOCOL" in
*activation_request) echo '{"activate":true}' > "$CHORIA_EXTERNAL_REPLY"; exit 0;;
esac`;

/** Put an agent into `mcollective/agent` of a folder; gives the path of its DDL. */
export function installAgent(
  libdir: string,
  name: string,
  body: string,
  options: Parameters<typeof ddlOf>[1] = {},
): string {
  const folder = join(libdir, "mcollective", "agent");
  const ddl = join(folder, `${name}.json`);
  writeScript(join(folder, name), `${activates}\n${body}`);
  writeSettled(ddl, ddlOf(name, options));
  return ddl;
}

/** An agent from its DDL on disk. */
export function agentFrom(ddlPath: string, options: Partial<ExternalAgentOptions> = {}): Agent {
  return externalAgent(parseDdl(readFileSync(ddlPath, "utf8"), ddlPath), ddlPath, {
    rpc: { logger: silentLogger },
    facts: async () => ({ os: "linux" }),
    configFile: "/etc/choria/server.conf",
    ...options,
  });
}

/** A message with a call, as a host would hand it on. */
export function messageFor(agent: string, action: string, data: unknown = {}): AgentMessage {
  const payload = encodeUtf8(JSON.stringify({ agent, action, data }));
  const request = newRequest({
    id: "3MRm9xeEHfQuXl3dac3sZ0zORg7",
    message: payload,
    sender: "vm",
    caller: "rip",
    collective: "choria",
    agent,
    ttl: 60,
    filter: emptyFilter(),
  });
  return { request: { ...request, time: 1_795_321_606_000_000_000n }, payload };
}

/** Call an action. */
export async function callAgent(
  agent: Agent,
  action: string,
  data: unknown = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<RpcReply> {
  const payload = await agent.handle(messageFor(agent.metadata.name, action, data), signal);
  return decodeRpcReply(payload ?? new Uint8Array());
}

/** Whether a process of that id runs. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // One that has ended but was not waited for by whoever adopted it runs no more.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
