import { resolve } from "node:path";
import { temporaryFolder } from "./folder.ts";
import { waitFor } from "./wait.ts";

const checkout = resolve(import.meta.dir, "../..");

/** What a command printed and how it ended. */
export interface Ran {
  code: number;
  out: string;
  err: string;
}

/** Run a command of the host to its end. */
export async function run(command: string[], env: Record<string, string | undefined> = process.env): Promise<Ran> {
  const child = Bun.spawn(command, { cwd: checkout, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, out, err };
}

/** Why containers cannot be tried here; `undefined` where they can. */
export async function whyNoContainers(): Promise<string | undefined> {
  for (const tool of ["docker", "docker-compose"]) {
    if (Bun.which(tool) === null) return `${tool} is not installed; containers/ci installs it and starts a daemon`;
  }
  const { code, err } = await run(["docker", "info", "--format", "{{.ServerVersion}}"]);
  return code === 0 ? undefined : `no Docker daemon answers: ${err.trim()}`;
}

/** The network of `containers/compose.yaml` under a name of its own, with a state folder of its own. */
export class ComposeNetwork implements AsyncDisposable {
  readonly env: Record<string, string | undefined>;
  /** Folder that the containers mount. */
  readonly folder: string;
  readonly #state = temporaryFolder();

  constructor(folder?: string) {
    this.folder = folder ?? this.#state.file("compose");
    this.env = {
      ...process.env,
      CHORIA_STATE: this.#state.path,
      CHORIA_COMPOSE: this.folder,
      COMPOSE_FILE: "containers/compose.yaml",
      COMPOSE_PROJECT_NAME: `choria-test-${process.pid}`,
    };
  }

  /** Run `docker-compose`; what it says counts when it fails. */
  async compose(...args: string[]): Promise<string> {
    const { code, out, err } = await run(["docker-compose", ...args], this.env);
    if (code !== 0) throw new Error(`docker-compose ${args.join(" ")} ended with ${code}:\n${out}${err}`);
    return out;
  }

  /** Type a command in a container of a service. */
  exec(service: string, command: string, ...flags: string[]): Promise<string> {
    return this.compose("exec", "-T", ...flags, service, "bash", "-lc", `exec </dev/null; ${command}`);
  }

  /** Ids of a service's containers, of all services when none is named. */
  async containers(service?: string): Promise<string[]> {
    const out = await this.compose("ps", "-q", ...(service === undefined ? [] : [service]));
    return out.split("\n").filter(Boolean);
  }

  /** Names of the nodes that answer a ping. */
  async nodes(): Promise<string[]> {
    const { out } = await run(
      ["docker-compose", "exec", "-T", "client.choria", "bash", "-lc", "exec </dev/null; choria ping"],
      this.env,
    );
    return [...out.matchAll(/^(\S+)\s+time=/gm)].map(([, node = ""]) => node);
  }

  /** Log the shell in the client in; gives whether that worked, which it does once the AAA service listens. */
  async login(username: string): Promise<boolean> {
    const command = `echo secret | choria login --username ${username} --password-stdin`;
    const exec = ["docker-compose", "exec", "-T", "client.choria", "bash", "-lc", command];
    return (await run(exec, this.env)).code === 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const down = ["docker-compose", "down", "--volumes", "--remove-orphans", "--timeout", "5"];
    // Docker 20.10 takes a moment to let go of the networks of containers that it has just removed.
    await waitFor("everything to be removed", async () => (await run(down, this.env)).code === 0, 30_000);
    this.#state[Symbol.dispose]();
  }
}
