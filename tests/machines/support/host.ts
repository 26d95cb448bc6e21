/** Runs the machines of a store until its input ends; each line of that is a machine and an event to fire. */
import { startMachineHost } from "../../../lib/machine/mod.ts";
import { silentLogger, systemClock } from "../../../lib/std/mod.ts";

const [store = "", statusFile = "", textfileFolder = ""] = process.argv.slice(2);
await using host = await startMachineHost({
  store,
  node: {
    identity: "n1.example.net",
    collective: "choria",
    clock: systemClock,
    random: () => 0,
    facts: async () => ({}),
    connection: undefined,
    settings: {
      textfileFolder,
      overridesFile: "",
      statusFile,
      statusInterval: 30_000,
      signingKey: "",
      deniedGossResources: [],
    },
  },
  logger: silentLogger,
  onEvent: () => console.log(JSON.stringify(host.states())),
});
for await (const line of console) {
  const [name = "", event = ""] = line.split(" ");
  host.transition({ name }, event);
}
