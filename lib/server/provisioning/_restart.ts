import { ActionError } from "../../rpc/mod.ts";
import { errorText, formatDuration, type JsonObject } from "../../std/mod.ts";
import type { Inputs } from "./_inputs.ts";
import type { ProvisionState } from "./_state.ts";
import { configurationHeader, formatConfiguration, parseConfiguration } from "./config_writer.ts";

/** Longest random wait before a restart or shutdown where the caller names none, in seconds. */
const defaultSplay = 10;
/** Wait that every restart has, so that the reply gets out. */
const leadSeconds = 2;
const provisionKey = "plugin.choria.server.provision";

/** Action `restart`: start again from the configuration file, if that can be used. */
export function restart(inputs: Inputs, state: ProvisionState): JsonObject {
  checkConfiguration(state);
  const splay = inputs.integer("splay");
  const delay = randomBelow(splay > 0 ? splay : defaultSplay, state) + leadSeconds;
  scheduleRestart(state, delay);
  return { message: `Restarting Choria Server after ${formatDuration(delay * 1_000)}` };
}

/** Action `reprovision`: write a configuration that asks to be provisioned, and start again. */
export function reprovision(
  _inputs: Inputs,
  state: ProvisionState,
  request: { id: string; caller: string; sender: string },
): JsonObject {
  const { files, configFile, clock, startedAt, config } = state;
  const now = clock.now();
  const logfile = config.option("logfile");
  const data = config.option("plugin.choria.registration.file_content.data");
  const settings = new Map([
    [provisionKey, "1"],
    ["loglevel", "debug"],
    ...(logfile === undefined ? [] : [["logfile", logfile] as const]),
    ...(data === undefined
      ? []
      : [["registration", "file_content"] as const, ["plugin.choria.registration.file_content.data", data] as const]),
  ]);
  try {
    const header = configurationHeader(request, now, (now - startedAt) / 1_000);
    files.write(configFile, formatConfiguration(settings, header).text, 0o600);
  } catch (error) {
    throw new ActionError(`Could not write config: ${errorText(error)}`);
  }
  const delay = randomBelow(defaultSplay, state) + leadSeconds;
  scheduleRestart(state, delay);
  return { message: `Restarting after ${delay}s` };
}

/** Action `shutdown`: end the server. */
export function shutdown(_inputs: Inputs, state: ProvisionState): JsonObject {
  const delay = randomBelow(defaultSplay, state);
  if (state.pending !== "shutdown") {
    state.pending = "shutdown";
    state.clock.after(delay * 1_000, () => state.control.shutdown());
  }
  return { message: `Shutting Choria Server down after ${delay}s` };
}

function checkConfiguration({ files, configFile }: ProvisionState): void {
  let provision: boolean;
  try {
    provision = parseConfiguration(files.read(configFile)).get(provisionKey);
  } catch (error) {
    throw new ActionError(
      `Configuration ${configFile} could not be parsed, restart cannot continue: ${errorText(error)}`,
    );
  }
  if (provision) throw new ActionError(`Configuration ${configFile} enables provisioning, restart cannot continue`);
}

/** A second request is answered like the first, but the node starts again once. */
function scheduleRestart(state: ProvisionState, delaySeconds: number): void {
  const { clock, control, logger } = state;
  if (state.pending !== undefined) return;
  state.pending = "restart";
  control.publishEvent("shutdown");
  clock.after(delaySeconds * 1_000, () => {
    logger.warn("Initiating Choria Server restart");
    control.restart();
  });
}

function randomBelow(limit: number, { random }: ProvisionState): number {
  return Math.floor(random() * limit);
}
