import { run } from "./compose.ts";

/** A container and where it can be met. */
export interface Peer {
  id: string;
  /** Its service, without the network's name: `broker`. */
  role: string;
  addresses: string[];
  /** TCP ports that it listens on, loopback left out. */
  ports: number[];
}

interface Inspected {
  Config: { Labels: Record<string, string> };
  NetworkSettings: { Networks: Record<string, { IPAddress: string }> };
}

/** Look at a container from outside and at its listeners from within. */
export async function inspectPeer(id: string): Promise<Peer> {
  const [inspected] = JSON.parse((await run(["docker", "inspect", id])).out) as Inspected[];
  if (inspected === undefined) throw new Error(`There is no container ${id}`);
  const { out } = await run(["docker", "exec", id, "sh", "-c", "cat /proc/net/tcp /proc/net/tcp6"]);
  return {
    id,
    role: (inspected.Config.Labels["com.docker.compose.service"] ?? "").replace(/\.choria$/, ""),
    addresses: Object.values(inspected.NetworkSettings.Networks).map(({ IPAddress }) => IPAddress),
    ports: listeners(out),
  };
}

/** The ports of the kernel's tables that wait for connections from elsewhere. */
export function listeners(tables: string): number[] {
  const found = new Set<number>();
  for (const line of tables.split("\n")) {
    const [, local = "", , state] = line.trim().split(/\s+/);
    const [address = "", port = ""] = local.split(":");
    const isLoopback =
      address === "0100007F" || (address.slice(0, 24) === "0".repeat(24) && address !== "0".repeat(32));
    // Docker's own name server listens on 127.0.0.11.
    if (state === "0A" && !isLoopback && address !== "0B00007F") found.add(Number.parseInt(port, 16));
  }
  return [...found].sort((a, b) => a - b);
}

const dial = `
const reached = await Promise.all(process.argv.slice(1).map((target) => {
  const [hostname, port] = target.split(":");
  return Promise.race([
    Bun.connect({ hostname, port: Number(port), socket: { data() {} } }).then((socket) => (socket.end(), true), () => false),
    Bun.sleep(2000).then(() => false),
  ]).then((isOpen) => (isOpen ? target : ""));
}));
console.log(reached.filter(Boolean).join("\\n"));
process.exit(0);`;

/** The targets, `ADDRESS:PORT`, that accept a connection from a container. */
export async function reachableFrom(peer: Peer, targets: readonly string[]): Promise<string[]> {
  const { out, err, code } = await run(["docker", "exec", peer.id, "bun", "--eval", dial, ...targets]);
  if (code !== 0) throw new Error(`Dialling from ${peer.role} failed: ${err}`);
  return out.split("\n").filter(Boolean);
}
