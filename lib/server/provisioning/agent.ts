import { dirname } from "node:path";
import { equalSecrets } from "../../crypto/mod.ts";
import { type Action, ActionError, type Agent, type AgentMetadata, rpcAgent } from "../../rpc/mod.ts";
import type { JsonObject } from "../../std/mod.ts";
import { configure } from "./_configure.ts";
import { Inputs } from "./_inputs.ts";
import { generateServerKey, readProvisioningJwt } from "./_keys.ts";
import { reprovision, restart, shutdown } from "./_restart.ts";
import type { ProvisionAgentOptions, ProvisionState } from "./_state.ts";
import { KeyExchange } from "./key_exchange.ts";
import { ProvisioningLock } from "./lock.ts";
import { diskFiles } from "./node_files.ts";

const reconfigureRefusal = "Cannot reconfigure a server that is not in provisioning mode";

/**
 * The agent `choria_provision`: gives a node its key, token and configuration and starts it anew. It answers while a
 * node is provisioned and, for as long as there is a provisioning token, afterwards.
 */
export function provisionAgent(options: ProvisionAgentOptions): Agent {
  const { files = diskFiles, random = Math.random, clock, configFile } = options;
  const state: ProvisionState = {
    ...options,
    files,
    random,
    directory: dirname(configFile),
    exchange: new KeyExchange(),
    startedAt: clock.now(),
  };
  const lock = new ProvisioningLock(clock);

  /** Mode, token and lock stand before every action, in the order in which callers know their refusals. */
  const guarded = (name: string, guard: Guard, work: GuardedWork): Action => {
    return (data, { message }) => {
      const { sender, caller } = message.request;
      const holder = `${sender}.${caller}`;
      if (guard.locks && !lock.isFreeFor(holder)) throw new ActionError("Could not obtain provisioning lock");
      const refusal = guard.refuses(state);
      if (refusal !== undefined) throw new ActionError(refusal);
      const inputs = new Inputs(name, data);
      checkSecret(inputs, state, sender, caller);
      // Only those who know the secret may keep others away.
      if (guard.locks) {
        lock.take(holder);
        checkIdle(state);
      }
      return work(inputs, state, message.request);
    };
  };
  return rpcAgent(metadata(options.version), actions(guarded), options);
}

interface Guard {
  /** Whether the caller needs the provisioning lock. */
  locks: boolean;
  /** Why the action is not for a node in this state. */
  refuses(state: ProvisionState): string | undefined;
}

type CallRequest = { id: string; caller: string; sender: string };
type GuardedWork = (inputs: Inputs, state: ProvisionState, request: CallRequest) => JsonObject;
type Guarded = (name: string, guard: Guard, work: GuardedWork) => Action;

function actions(guarded: Guarded): Record<string, Action> {
  const inProvisioning = (refusal: string): Guard => ({
    locks: true,
    refuses: ({ isProvisioning }) => (isProvisioning ? undefined : refusal),
  });
  const withSecret = (what: string): Guard => ({
    locks: false,
    refuses: ({ isProvisioning, secret }) =>
      isProvisioning || secret !== ""
        ? undefined
        : `Cannot ${what} a server that is not in provisioning mode or with no token set`,
  });
  const serving: Guard = {
    locks: false,
    refuses: ({ isProvisioning }) =>
      isProvisioning ? "Server is already in provisioning mode, cannot enable provisioning mode again" : undefined,
  };
  return {
    jwt: guarded("jwt", inProvisioning(reconfigureRefusal), readProvisioningJwt),
    gen25519: guarded("gen25519", inProvisioning(reconfigureRefusal), generateServerKey),
    gencsr: guarded("gencsr", inProvisioning(reconfigureRefusal), refuseCertificates),
    configure: guarded("configure", inProvisioning(reconfigureRefusal), configure),
    release_update: guarded(
      "release_update",
      inProvisioning("Cannot update a server that is not in provisioning mode"),
      refuseUpdate,
    ),
    restart: guarded("restart", withSecret("restart"), restart),
    reprovision: guarded("reprovision", serving, reprovision),
    shutdown: guarded("shutdown", withSecret("shutdown"), shutdown),
  };
}

function metadata(version: string): AgentMetadata {
  return {
    name: "choria_provision",
    description: "Choria Provisioner",
    author: "R.I.Pienaar <rip@devco.net>",
    license: "Apache-2.0",
    version,
    url: "https://choria.io",
    timeout: 20,
  };
}

function checkSecret(inputs: Inputs, state: ProvisionState, sender: string, caller: string): void {
  if (state.secret === "" || equalSecrets(inputs.text("token"), state.secret)) return;
  state.logger.warn("Incorrect provision token supplied", { sender, caller });
  throw new ActionError("Incorrect provision token supplied");
}

/** A node that is about to start again must not lose its new key or token to a second provisioner. */
function checkIdle({ pending }: ProvisionState): void {
  if (pending !== undefined) throw new ActionError(`Cannot reconfigure a server that is waiting for its ${pending}`);
}

function refuseCertificates(): never {
  throw new ActionError("Certificate signing requests are not supported, use the ed25519 feature of the provisioner");
}

function refuseUpdate(): never {
  throw new ActionError("Version updates is not enabled in the configuration");
}
