#!/usr/bin/env -S bun --config=/dev/null --no-env-file
/**
 * The agent `package`: looks after the packages of a node, with apt or dnf.
 *
 * @module
 */
import { ActionError, action, type Context, defineAgent, type Execution, execute, hasProgram } from "./kit.ts";

const inputs = {
  package: {
    type: "string",
    prompt: "Package",
    description: "The name of the package",
    maxlength: 90,
    validation: "^[a-zA-Z0-9][a-zA-Z0-9_.+:-]*$",
  },
} as const;

const outputs = {
  installed: { type: "boolean", display_as: "Installed", description: "Whether the package is installed" },
  version: { type: "string", display_as: "Version", description: "The installed version, empty when there is none" },
  provider: { type: "string", display_as: "Provider", description: "The package manager of the node: apt or dnf" },
} as const;

const changing = {
  ...outputs,
  changed: { type: "boolean", display_as: "Changed", description: "Whether anything was done" },
} as const;

const aggregate = [{ function: "summary", output: "version" }] as const;

/** How a package stands. */
type Status = { installed: boolean; version: string; provider: string };

/** What looks after packages. */
interface Manager {
  name: "apt" | "dnf";
  /** Prints the version when it is installed. */
  query(name: string): Promise<Execution>;
  /** @param version The newest when it is undefined. */
  install(name: string, version: string | undefined): Promise<Execution>;
  update(name: string): Promise<Execution>;
  remove(name: string): Promise<Execution>;
}

const packages = defineAgent({
  name: "package",
  description: "The packages of a node: see, install, update and remove them",
  author: "Choria on Bun",
  license: "Apache-2.0",
  version: "1.0.0",
  url: "https://choria.io",
  timeout: 300,
  activate: (context) => findManager(context) !== undefined,
  actions: {
    status: action({
      description: "Tell which version of a package is installed",
      display: "always",
      inputs,
      outputs,
      aggregate,
      run: (given, context) => statusOf(manager(context), given.package),
    }),
    install: action({
      description: "Install a package, unless it is installed",
      inputs: {
        ...inputs,
        version: {
          type: "string",
          prompt: "Version",
          description: "The version to install, also in place of another; the newest by default",
          optional: true,
          maxlength: 90,
          validation: "^[a-zA-Z0-9][a-zA-Z0-9_.+:~-]*$",
        },
      },
      outputs: changing,
      aggregate,
      run: async (given, context) => {
        const { package: name, version } = given;
        const chosen = manager(context);
        const before = await statusOf(chosen, name);
        if (before.installed && (version === undefined || version === before.version)) {
          return { ...before, changed: false };
        }
        const isDone = (after: Status) => after.installed && (version === undefined || after.version === version);
        return change(chosen, name, before, isDone, "install", await chosen.install(name, version));
      },
    }),
    update: action({
      description: "Bring an installed package to the newest version",
      inputs,
      outputs: changing,
      aggregate,
      run: async (given, context) => {
        const name = given.package;
        const chosen = manager(context);
        const before = await statusOf(chosen, name);
        if (!before.installed)
          throw new ActionError(`${name} is not installed`, { data: { ...before, changed: false } });
        return change(chosen, name, before, ({ installed }) => installed, "update", await chosen.update(name));
      },
    }),
    remove: action({
      description: "Remove a package that is installed",
      inputs,
      outputs: changing,
      aggregate,
      run: async (given, context) => {
        const name = given.package;
        const chosen = manager(context);
        const before = await statusOf(chosen, name);
        if (!before.installed) return { ...before, changed: false };
        return change(chosen, name, before, ({ installed }) => !installed, "remove", await chosen.remove(name));
      },
    }),
  },
});

export { packages as package };

async function change(
  chosen: Manager,
  name: string,
  before: Status,
  isDone: (after: Status) => boolean,
  verb: string,
  { exitCode, stdout, stderr }: Execution,
): Promise<Status & { changed: boolean }> {
  const status = await statusOf(chosen, name);
  const changed = status.installed !== before.installed || status.version !== before.version;
  const after = { ...status, changed };
  if (exitCode === 0 && isDone(status)) return after;
  const said = (stderr.trim() || stdout.trim()).split("\n").slice(-3).join(" ");
  throw new ActionError(`Could not ${verb} ${name}: ${said || `exit code ${exitCode}`}`, { data: after });
}

async function statusOf(chosen: Manager, name: string): Promise<Status> {
  const { exitCode, stdout } = await chosen.query(name);
  const version = exitCode === 0 ? stdout.trim() : "";
  return { installed: version !== "", version, provider: chosen.name };
}

function manager(context: Context): Manager {
  const found = findManager(context);
  if (found !== undefined) return found;
  throw new ActionError("There is neither apt nor dnf on this node");
}

/** The setting `provider` decides, `apt` or `dnf`; else what the machine has. */
function findManager({ config }: Context): Manager | undefined {
  const { provider } = config;
  if (provider === "apt" || (provider === undefined && hasProgram("apt-get"))) return apt;
  if (provider === "dnf" || (provider === undefined && hasProgram("dnf"))) return dnf;
  return undefined;
}

/** Its dollar signs are for dpkg. */
const dpkgFormat = "\x24{db:Status-Status} \x24{Version}\\n";

const apt: Manager = {
  name: "apt",
  async query(name) {
    const found = await execute(["dpkg-query", "--show", `--showformat=${dpkgFormat}`, "--", name]);
    // Removed packages whose configuration is left are known too.
    const line = found.stdout.split("\n").find((each) => each.startsWith("installed ")) ?? "";
    return { ...found, stdout: line.slice("installed ".length) };
  },
  install: (name, version) =>
    aptGet("install", "--allow-downgrades", "--", version === undefined ? name : `${name}=${version}`),
  update: (name) => aptGet("install", "--only-upgrade", "--", name),
  remove: (name) => aptGet("remove", "--", name),
};

/** Nobody is there to answer questions, and other runs of apt are waited for. */
function aptGet(...args: string[]): Promise<Execution> {
  const options = [
    "--yes",
    "--quiet=2",
    "--option=DPkg::Lock::Timeout=60",
    "--option=Dpkg::Options::=--force-confdef",
    "--option=Dpkg::Options::=--force-confold",
  ];
  return execute(["apt-get", ...options, ...args], { DEBIAN_FRONTEND: "noninteractive" });
}

const dnf: Manager = {
  name: "dnf",
  async query(name) {
    const found = await execute(["rpm", "--query", "--queryformat", "%{VERSION}-%{RELEASE}\\n", name]);
    // Of a package that may be installed several times, for example a kernel, the last is the newest.
    return { ...found, stdout: found.stdout.trim().split("\n").at(-1) ?? "" };
  },
  async install(name, version) {
    if (version === undefined) return runDnf("install", name);
    const wanted = `${name}-${version}`;
    const done = await runDnf("install", wanted);
    // dnf does not take an older version for an installation.
    return done.exitCode === 0 && (await this.query(name)).stdout === version ? done : runDnf("downgrade", wanted);
  },
  update: (name) => runDnf("upgrade", name),
  remove: (name) => runDnf("remove", name),
};

function runDnf(verb: string, what: string): Promise<Execution> {
  return execute(["dnf", "--assumeyes", "--quiet", verb, what]);
}

if (import.meta.main) await packages.serve();
