import { version as kernelVersion, machine } from "node:os";
import type { Systeminformation } from "systeminformation";
import { type JsonObject, version } from "../../../lib/std/mod.ts";

/** What the system told; anything may be missing. */
export interface SystemReadings {
  system: Partial<Systeminformation.SystemData>;
  bios: Partial<Systeminformation.BiosData>;
  board: Partial<Systeminformation.BaseboardData>;
  chassis: Partial<Systeminformation.ChassisData>;
  os: Partial<Systeminformation.OsData>;
  cpu: Partial<Systeminformation.CpuData>;
  cache: Partial<Systeminformation.CpuCacheData>;
  memory: Partial<Systeminformation.MemData>;
  modules: readonly Partial<Systeminformation.MemLayoutData>[];
  disks: readonly Partial<Systeminformation.BlockDevicesData>[];
  interfaces: readonly Partial<Systeminformation.NetworkInterfacesData>[];
  timezone: string;
}

/** Longest time that any one question may take, in milliseconds. */
const patience = 5_000;

/** Ask the system about itself. What it does not tell stays empty. */
export async function readSystem(): Promise<SystemReadings> {
  const si = await import("systeminformation");
  const one = <T>(question: Promise<T>) => answer<Partial<T>>(question, {});
  const many = <T>(question: Promise<T[]>) => answer<Partial<T>[]>(question, []);
  const [system, bios, board, chassis, os, cpu, cache, memory, modules, disks, interfaces] = await Promise.all([
    one(si.system()),
    one(si.bios()),
    one(si.baseboard()),
    one(si.chassis()),
    one(si.osInfo()),
    one(si.cpu()),
    one(si.cpuCache()),
    one(si.mem()),
    many(si.memLayout()),
    many(si.blockDevices()),
    many(si.networkInterfaces().then((found) => [found].flat())),
  ]);
  const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return { system, bios, board, chassis, os, cpu, cache, memory, modules, disks, interfaces, timezone };
}

/** A host without an answer, or with one that does not come, has facts all the same. */
async function answer<T>(question: Promise<T>, none: T): Promise<T> {
  const { promise: late, resolve } = Promise.withResolvers<T>();
  const timer = setTimeout(() => resolve(none), patience);
  const told = await Promise.race([question.catch(() => none), late]);
  clearTimeout(timer);
  return told ?? none;
}

/**
 * Facts of a host, in the layout that Choria's operators know: `memory.size` in MB, `cpu.speed` in MHz, `cpu.cache` in
 * KB, sizes of disks in GB, speeds of networks in Mb/s. What is not known is an empty text or 0, so that every host has
 * the same facts.
 *
 * @param now The present.
 */
export function systemFacts(readings: SystemReadings, now: Date): JsonObject {
  const { system, bios, board, chassis, os, cpu, cache, memory, modules, timezone } = readings;
  return {
    sysinfo: { version, timestamp: now.toISOString() },
    node: {
      hostname: text(os.fqdn) || text(os.hostname),
      machineid: text(os.serial),
      hypervisor: text(system.virtualHost).toLowerCase(),
      timezone,
    },
    os: {
      name: [text(os.distro), text(os.release), os.codename ? `(${os.codename})` : ""].filter(Boolean).join(" "),
      vendor: text(os.logofile),
      version: text(os.release).split(".")[0] ?? "",
      release: text(os.release),
      architecture: architectures[os.arch ?? ""] ?? text(os.arch),
    },
    kernel: { release: text(os.kernel), version: kernelVersion(), architecture: machine() },
    product: {
      name: text(system.model),
      vendor: text(system.manufacturer),
      version: text(system.version),
      serial: text(system.serial),
    },
    board: {
      name: text(board.model),
      vendor: text(board.manufacturer),
      version: text(board.version),
      serial: text(board.serial),
    },
    chassis: { type: text(chassis.type), vendor: text(chassis.manufacturer), version: text(chassis.version) },
    bios: { vendor: text(bios.vendor), version: text(bios.version), date: text(bios.releaseDate) },
    cpu: {
      vendor: text(cpu.vendor) || text(cpu.manufacturer),
      model: [text(cpu.manufacturer), text(cpu.brand)].filter(Boolean).join(" "),
      speed: Math.round(count(cpu.speed) * 1_000),
      cache: Math.round(count(cache.l3 ?? cache.l2) / 1_024),
      cpus: count(cpu.processors),
      cores: count(cpu.physicalCores),
      threads: count(cpu.cores),
    },
    memory: {
      type: text(modules[0]?.type),
      speed: count(modules[0]?.clockSpeed),
      size: Math.floor(count(memory.total) / mebibyte),
      swap: Math.floor(count(memory.swaptotal) / mebibyte),
    },
    storage: storage(readings),
    network: network(readings),
  };
}

const mebibyte = 1_024 * 1_024;

/** What Go, in which most of the fleet's tools are written, calls the architectures. */
const architectures: Readonly<Record<string, string>> = {
  x64: "amd64",
  ia32: "386",
  mipsel: "mipsle",
  ppc64: "ppc64le",
};

function storage({ disks }: SystemReadings): JsonObject[] {
  return disks
    .filter(({ type, size }) => type === "disk" && count(size) > 0)
    .map(({ name, model, serial, size }) => ({
      name: text(name),
      model: text(model),
      serial: text(serial),
      size: Math.round(count(size) / 1e9),
    }));
}

/** Interfaces towards the containers and virtual machines of a host: they come and go with these. */
const inward = /^(veth|docker|br-|virbr|vnet|cni|cali|flannel|tap)/;

function network({ interfaces }: SystemReadings): JsonObject[] {
  return interfaces
    .filter(({ iface = "", internal, virtual }) => !internal && !virtual && !inward.test(iface))
    .map(({ iface, mac, ip4, ip6, type, speed }) => ({
      name: text(iface),
      macaddress: text(mac),
      ipv4: text(ip4),
      ipv6: text(ip6),
      port: text(type),
      speed: Math.max(0, count(speed)),
    }));
}

/** The words that stand for nothing in what firmware says are nothing. */
function text(value: string | undefined | null): string {
  const found = (value ?? "").trim();
  return /^(-|unknown|not specified|default string|to be filled by o\.e\.m\.)$/i.test(found) ? "" : found;
}

function count(value: number | undefined | null): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
