import type { DdlInput } from "../ddl.ts";
import { action, agentDdl, output, textInput } from "./_parts.ts";

const selectors: Record<string, DdlInput> = {
  instance: textInput("Instance", "Id of a running machine", "^.+-.+-.+-.+-.+$", 36, { optional: true }),
  name: textInput("Name", "Name of a machine", "^[a-zA-Z][a-zA-Z0-9_-]+", 128, { optional: true }),
  path: textInput("Path", "Folder of a machine", ".+", 512, { optional: true }),
};

/** Looks into a server and its autonomous agents. */
export const choriaUtil = agentDdl(
  { name: "choria_util", description: "Tells about a server's connection and its autonomous agents", timeout: 2 },
  [
    action("info", "How a server runs and where it is connected", {
      display: "failed",
      output: {
        choria_version: output("Choria Version", "string", "Version of the server"),
        client_flavour: output("Middleware Client Flavour", "string", "Which NATS client the server uses"),
        client_options: output("Middleware Client Options", "hash", "How the NATS client is set up"),
        client_stats: output("Middleware Client Stats", "hash", "Counters of the NATS client"),
        client_version: output("Middleware Client Library Version", "string", "Version of the NATS client"),
        connected_server: output("Connected Broker", "string", "The broker the server is connected to"),
        connector: output("Connector", "string", "How the server connects"),
        connector_tls: output("Connector TLS", "boolean", "Whether the connection is encrypted"),
        facter_command: output("Facter", "string", "Command that finds facts"),
        facter_domain: output("Facter Domain", "string", "Domain that the facts name"),
        middleware_servers: output("Middleware", "array", "Brokers the server may connect to"),
        path: output("Path", "string", "Where the server looks for programs"),
        secure_protocol: output("Protocol Secure", "boolean", "Whether messages are signed"),
        security: output("Security Provider", "string", "Who signs and verifies"),
        srv_domain: output("SRV Domain", "string", "Domain of the SRV records"),
        using_srv: output("SRV Used", "boolean", "Whether SRV records are looked up"),
      },
      summaries: [
        "choria_version",
        "client_version",
        "client_flavour",
        "connected_server",
        "srv_domain",
        "using_srv",
        "secure_protocol",
        "connector_tls",
      ],
    }),
    action("machine_state", "State of one autonomous agent", {
      display: "ok",
      input: selectors,
      output: {
        available_transitions: output("Available Transitions", "array", "Events it would react to now"),
        current_state: output("Scout State", "", "What a Scout check last found"),
        id: output("ID", "string", "Id of the running instance"),
        name: output("Name", "string", "Name of the autonomous agent"),
        path: output("Path", "string", "Folder in which it lies"),
        scout: output("Scout Check", "boolean", "Whether it is a Scout check"),
        start_time: output("Started", "string", "When it was started, Unix seconds"),
        state: output("State", "string", "The state it is in"),
        version: output("Version", "string", "Its version"),
      },
      summaries: ["state", "name", "version"],
    }),
    action("machine_states", "States of every autonomous agent", {
      display: "always",
      output: {
        machine_ids: output("Machine IDs", "array", "Ids of those that run"),
        machine_names: output("Machine Names", "array", "Names of those that run"),
        states: output("Machine States", "hash", "State of each by its id"),
      },
      summaries: ["machine_names"],
    }),
    action("machine_transition", "Send an event to an autonomous agent", {
      display: "failed",
      input: {
        ...selectors,
        transition: textInput("Transition", "The event", "^[a-zA-Z][a-zA-Z0-9_-]+$", 128),
        version: textInput("Version", "Version of a machine", "^\\d+\\.\\d+\\.\\d+$", 20, { optional: true }),
      },
      output: { success: output("Accepted", "boolean", "Whether it took the event") },
    }),
  ],
);
