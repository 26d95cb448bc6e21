import { join } from "node:path";
import { ActionError } from "../../rpc/mod.ts";
import { errorText, type JsonObject } from "../../std/mod.ts";
import type { Inputs } from "./_inputs.ts";
import type { ProvisionState } from "./_state.ts";
import { configurationHeader, decodeSettings, formatConfiguration } from "./config_writer.ts";
import { actionPolicyFolder, regoPolicyFolder, writePolicies } from "./policies.ts";
import { writeTlsFiles } from "./tls_files.ts";

/** Action `configure`: write token, policies and configuration. */
export function configure(
  inputs: Inputs,
  state: ProvisionState,
  request: { id: string; caller: string; sender: string },
): JsonObject {
  const config = inputs.text("config");
  if (config === "") {
    throw new ActionError("Did not receive any configuration to write, cannot write a empty configuration file");
  }
  const key = inputs.text("key");
  if (key !== "" && inputs.text("ecdh_public") === "") {
    throw new ActionError("EDCH Public Key not supplied while providing a private key");
  }
  const { files, directory, configFile, clock, logger } = state;
  const settings = attempt("", () => decodeSettings(config));
  const now = clock.now();
  const { text, lines } = attempt("Could not write config: ", () =>
    formatConfiguration(settings, configurationHeader(request, now, (now - state.startedAt) / 1_000)),
  );
  attempt("TLS Setup Failed: ", () => saveTls(inputs, state));
  attempt("JWT Setup Failed: ", () => saveToken(inputs.text("server_jwt"), state));
  attempt("Could not save Action Policies: ", () => {
    const policies = inputs.texts("action_policies");
    if (policies.size > 0) writePolicies(files, actionPolicyFolder(directory), policies, ".policy");
  });
  attempt("Could not save Open Policy Agent Policies: ", () => {
    const policies = inputs.texts("opa_policies");
    if (policies.size > 0) writePolicies(files, regoPolicyFolder(directory), policies, ".rego");
  });
  const { caller, sender, id } = request;
  logger.warn("Rewriting configuration file", { config: configFile, requestid: id, caller, sender });
  // Last of all: a node with a configuration counts as provisioned, whatever happens to it next.
  attempt("Could not write config: ", () => files.write(configFile, text, 0o600));
  state.control.publishEvent("provisioned");
  return { message: `Wrote ${lines} lines to ${configFile}` };
}

function saveToken(token: string, { files, directory }: ProvisionState): void {
  if (token !== "") files.write(join(directory, "server.jwt"), token, 0o600);
}

function saveTls(inputs: Inputs, { files, exchange }: ProvisionState): void {
  const folder = inputs.text("ssldir");
  const certificate = inputs.text("certificate");
  const ca = inputs.text("ca");
  if (folder === "" || certificate === "" || ca === "") return;
  const key = inputs.text("key");
  writeTlsFiles(files, folder, {
    certificate,
    ca,
    ...(key === "" ? {} : { key, peerKey: inputs.text("ecdh_public") }),
    exchange: exchange.privateKey,
  });
}

/** What fails is told to the caller with a few words in front that say what it was part of. */
function attempt<T>(prefix: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ActionError) throw error;
    throw new ActionError(prefix + errorText(error));
  }
}
