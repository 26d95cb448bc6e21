import { action, agentDdl, output, textInput } from "./_parts.ts";

/** What every server tells about itself. */
export const rpcutil = agentDdl(
  {
    name: "rpcutil",
    description: "Tells what a server is, has and does",
    timeout: 2,
    url: "https://choria.io/",
  },
  [
    action("agent_inventory", "Every agent of the server with version, license and author", {
      display: "always",
      output: { agents: output("Agents", "array", "The agents") },
    }),
    action("collective_info", "Which collectives the server belongs to", {
      display: "always",
      output: {
        collectives: output("All Collectives", "array", "Every collective"),
        main_collective: output("Main Collective", "string", "The main one"),
      },
      summaries: ["collectives"],
    }),
    action("daemon_stats", "Counters of the running server", {
      display: "always",
      output: {
        agents: output("Agents", "array", "Agents that are loaded"),
        configfile: output("Config File", "string", "File that the server was configured by"),
        events: output("Events", "integer", "Lifecycle events published"),
        filtered: output("Failed Filter", "integer", "Messages meant for others"),
        passed: output("Passed Filter", "integer", "Messages meant for this server"),
        pid: output("PID", "integer", "Process id"),
        replies: output("Replies", "integer", "Replies sent"),
        starttime: output("Start Time", "integer", "When the server started, Unix seconds"),
        threads: output("Threads", "array", "Threads that run"),
        times: output("Times", "hash", "Processor time used"),
        total: output("Total Messages", "integer", "Messages received"),
        ttlexpired: output("TTL Expired", "integer", "Messages that came too late"),
        unvalidated: output("Failed Security", "integer", "Messages that were not believed"),
        validated: output("Security Validated", "integer", "Messages that were believed"),
        version: output("Version", "string", "Version of the server"),
      },
      summaries: ["version", "agents"],
    }),
    action("get_config_item", "The value of a configuration key", {
      display: "always",
      input: { item: textInput("Key", "Which key of the configuration", "^.+$", 120) },
      output: {
        item: output("Property", "string", "The key"),
        value: output("Value", "", "The value in use"),
      },
      summaries: ["value"],
    }),
    action("get_data", "What a data plugin knows", {
      display: "always",
      input: {
        query: textInput("Query", "What to ask the data plugin", "^.+$", 200, { optional: true }),
        source: textInput("Source", "Which data plugin", "^\\w+$", 50),
      },
    }),
    action("get_fact", "The value of a fact", {
      display: "always",
      input: { fact: textInput("Fact", "Which fact; dots lead into nested ones", ".+", 512) },
      output: {
        fact: output("Fact", "string", "The fact"),
        value: output("Value", "", "Its value"),
      },
      summaries: ["value"],
    }),
    action("get_facts", "The values of several facts", {
      display: "always",
      input: {
        facts: textInput(
          "Facts",
          "Which facts, separated by commas",
          "^\\s*[\\w\\.\\-]+(\\s*,\\s*[\\w\\.\\-]+)*$",
          200,
        ),
      },
      output: { values: output("Values", "hash", "Values by fact") },
    }),
    action("inventory", "Everything the server is and has", {
      display: "always",
      output: {
        agents: output("Agents", "array", "Names of its agents"),
        classes: output("Classes", "array", "Classes it belongs to"),
        collectives: output("All Collectives", "array", "Collectives it belongs to"),
        data_plugins: output("Data Plugins", "array", "Names of its data plugins"),
        facts: output("Facts", "hash", "Its facts"),
        machines: output("Machines", "hash", "Its autonomous agents"),
        main_collective: output("Main Collective", "string", "Its main collective"),
        upgradable: output("Upgradable", "boolean", "Whether it can be brought to another version", false),
        version: output("Version", "string", "Version of the server"),
      },
    }),
    action("ping", "Answers, with the time", {
      display: "always",
      output: { pong: output("Timestamp", "number", "The server's time, Unix seconds") },
    }),
  ],
);
