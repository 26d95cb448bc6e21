#!/usr/bin/env -S bun --config=/dev/null --no-env-file
/**
 * The agent `service`: looks after the services of a node, with systemd or SysV init.
 *
 * @module
 */
import { ActionError, action, type Context, defineAgent, type Execution, execute, hasProgram } from "./kit.ts";

const inputs = {
  service: {
    type: "string",
    prompt: "Service",
    description: "The name of the service",
    maxlength: 90,
    validation: "^[a-zA-Z0-9_@.:][a-zA-Z0-9_@.:-]*$",
  },
} as const;

const outputs = {
  status: { type: "string", display_as: "Status", description: "Whether the service runs: running or stopped" },
  state: { type: "string", display_as: "State", description: "What the service manager calls it, for example failed" },
} as const;

const changing = {
  ...outputs,
  changed: { type: "boolean", display_as: "Changed", description: "Whether the service runs anew or no more" },
} as const;

const aggregate = [{ function: "summary", output: "status" }] as const;

type Verb = "start" | "stop" | "restart";

/** How a service stands. */
type Status = { status: "running" | "stopped"; state: string };

/** What looks after services. */
interface Manager {
  /** @throws {ActionError} when the service is not known. */
  status(service: string): Promise<Status>;
  change(verb: Verb, service: string): Promise<Execution>;
}

export const service = defineAgent({
  name: "service",
  description: "The services of a node: see, start and stop them",
  author: "Choria on Bun",
  license: "Apache-2.0",
  version: "1.0.0",
  url: "https://choria.io",
  timeout: 60,
  activate: async (context) => (await findManager(context)) !== undefined,
  actions: {
    status: action({
      description: "Tell whether a service runs",
      display: "always",
      inputs,
      outputs,
      aggregate,
      run: async ({ service }, context) => (await manager(context)).status(service),
    }),
    start: action({
      description: "Start a service that does not run",
      inputs,
      outputs: changing,
      aggregate,
      run: ({ service }, context) => change("start", service, context),
    }),
    stop: action({
      description: "Stop a service that runs",
      inputs,
      outputs: changing,
      aggregate,
      run: ({ service }, context) => change("stop", service, context),
    }),
    restart: action({
      description: "Stop a service and start it again, or start it when it does not run",
      inputs,
      outputs: changing,
      aggregate,
      run: ({ service }, context) => change("restart", service, context),
    }),
  },
});

async function change(verb: Verb, name: string, context: Context): Promise<Status & { changed: boolean }> {
  const chosen = await manager(context);
  const wanted = verb === "stop" ? "stopped" : "running";
  const before = await chosen.status(name);
  if (verb !== "restart" && before.status === wanted) return { ...before, changed: false };
  const { exitCode, stdout, stderr } = await chosen.change(verb, name);
  const after = { ...(await chosen.status(name)), changed: true };
  if (exitCode === 0 && after.status === wanted) return after;
  const said = (stderr.trim() || stdout.trim()).split("\n").at(-1) || `it is ${after.status}, exit code ${exitCode}`;
  throw new ActionError(`Could not ${verb} ${name}: ${said}`, { data: after });
}

async function manager(context: Context): Promise<Manager> {
  const found = await findManager(context);
  if (found !== undefined) return found;
  throw new ActionError("There is neither systemd nor SysV init on this node");
}

/** The setting `manager` decides, `systemd` or `sysv`; else what the machine was started with. */
async function findManager({ config }: Context): Promise<Manager | undefined> {
  if (config.manager === "systemd") return systemd;
  if (config.manager === "sysv") return sysv;
  if (await hasSystemd()) return systemd;
  return hasProgram("service") ? sysv : undefined;
}

/** Containers often have its programs without it running. */
async function hasSystemd(): Promise<boolean> {
  if (!hasProgram("systemctl")) return false;
  const { stdout } = await execute(["systemctl", "is-system-running"]);
  return ["initializing", "starting", "running", "degraded", "maintenance", "stopping"].includes(stdout.trim());
}

const systemd: Manager = {
  async status(name) {
    const command = ["systemctl", "show", "--property=LoadState,ActiveState", "--", name];
    const { exitCode, stdout, stderr } = await execute(command);
    if (exitCode !== 0) throw new ActionError(`Could not ask for the state of ${name}: ${stderr.trim()}`);
    const { LoadState: load, ActiveState: state = "unknown" } = Object.fromEntries(
      stdout.split("\n").map((line) => line.split("=", 2)),
    ) as Record<string, string | undefined>;
    if (load === "not-found") throw new ActionError(`There is no service ${name}`);
    return { status: ["active", "reloading"].includes(state) ? "running" : "stopped", state };
  },
  change: (verb, name) => execute(["systemctl", verb, "--", name]),
};

const sysv: Manager = {
  async status(name) {
    const { exitCode, stdout, stderr } = await execute(["service", name, "status"]);
    if (exitCode !== 0 && /unrecognized service/.test(stdout + stderr)) {
      throw new ActionError(`There is no service ${name}`);
    }
    // The Linux Standard Base has 1 and 2 for a service that died, 3 for one that was not started.
    const states: Readonly<Record<number, string>> = { 0: "running", 1: "dead", 2: "dead", 3: "stopped" };
    return { status: exitCode === 0 ? "running" : "stopped", state: states[exitCode] ?? "unknown" };
  },
  change: (verb, name) => execute(["service", name, verb]),
};

if (import.meta.main) await service.serve();
