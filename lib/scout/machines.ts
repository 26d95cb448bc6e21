import type { MachineHost } from "../machine/mod.ts";

/** The machines of a node as far as its checks are concerned. */
export type ScoutMachines = Pick<MachineHost, "states" | "transition">;
