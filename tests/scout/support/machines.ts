import type { MachineCriteria, MachineState } from "../../../lib/machine/mod.ts";
import type { ScoutMachines } from "../../../lib/scout/mod.ts";
import { isObject, type JsonObject } from "../../../lib/std/mod.ts";
import recorded from "../../fixtures/scout/scout_rpc.json" with { type: "json" };

/** Machines that do what they are told, without an engine. */
export class TestMachines implements ScoutMachines {
  readonly machines: MachineState[];
  /** What was fired: `name EVENT`. */
  readonly fired: string[] = [];
  /** Machines whose transitions fail. */
  readonly broken = new Set<string>();

  constructor(machines: readonly MachineState[] = recordedMachines()) {
    this.machines = [...machines];
  }

  states(): MachineState[] {
    return this.machines;
  }

  transition({ id }: MachineCriteria, event: string): void {
    const machine = this.machines.find((candidate) => candidate.id === id);
    if (machine === undefined || this.broken.has(machine.name)) throw new Error("it is broken");
    this.fired.push(`${machine.name} ${event}`);
  }
}

/** The machines of a recorded server. */
export function recordedMachines(): MachineState[] {
  const states: JsonObject[] = Object.values(recorded.machine_states.data.states);
  return states.map(machineOf).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function machineOf(state: JsonObject): MachineState {
  const text = (key: string) => String(state[key]);
  const transitions = Array.isArray(state.available_transitions) ? state.available_transitions.map(String) : [];
  return {
    name: text("name"),
    version: text("version"),
    state: text("state"),
    path: text("path"),
    id: text("id"),
    startTime: Number(state.start_time),
    availableTransitions: transitions,
    scout: state.scout === true,
    ...(isObject(state.current_state) ? { currentState: state.current_state } : {}),
  };
}
