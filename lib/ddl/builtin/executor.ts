import type { DdlInput } from "../ddl.ts";
import { action, agentDdl, output, textInput } from "./_parts.ts";

const jobId = textInput("Job ID", "Which command", ".", 20);

/** An input that narrows a list down. */
function narrowing(prompt: string, description: string, type: "integer" | "boolean"): DdlInput {
  return { prompt, description, type, optional: true };
}

/** The long-running commands of a server. */
export const executor = agentDdl(
  {
    name: "executor",
    description: "Looks after the long-running commands of a server",
    timeout: 20,
    provider: "golang",
  },
  [
    action("signal", "Send a signal to a command that runs", {
      display: "always",
      input: {
        id: jobId,
        signal: { prompt: "Signal", description: "Number of the signal", type: "integer", optional: false },
      },
      output: {
        pid: output("PID", "integer", "Process that was sent the signal"),
        running: output("Running", "boolean", "Whether it still ran shortly after"),
      },
    }),
    action("list", "Commands of the server, running or done", {
      display: "always",
      input: {
        action: textInput("Action", "Started by this action", "^[\\w]+$", 20, { optional: true }),
        agent: textInput("Agent", "Started by this agent", "^[\\w]+$", 20, { optional: true }),
        before: narrowing("Before", "Started before this time, Unix seconds", "integer"),
        caller: textInput("Caller", "Started by this caller", ".", 50, { optional: true }),
        command: textInput("Command", "With this program", ".", 256, { optional: true }),
        completed: narrowing("Completed", "Those that are done", "boolean"),
        identity: textInput("Identity", "Started on this node", ".", 256, { optional: true }),
        requestid: textInput("Request", "Started by this request", ".", 20, { optional: true }),
        running: narrowing("Running", "Those that run", "boolean"),
        since: narrowing("Since", "Started after this time, Unix seconds", "integer"),
      },
      output: { jobs: output("Jobs", "hash", "The commands") },
    }),
    action("status", "How a command is doing", {
      display: "always",
      input: { id: jobId },
      output: {
        action: output("Action", "string", "Action that started it"),
        agent: output("Agent", "string", "Agent that started it"),
        args: output("Arguments", "string", "Its arguments, for callers who may start it"),
        caller: output("Caller", "string", "Who started it"),
        command: output("Command", "string", "Its program, for callers who may start it"),
        exit_code: output("Exit Code", "integer", "What it ended with, -1 while it runs or when it was killed"),
        exit_reason: output("Exit Reason", "string", "Why it did not end by itself"),
        pid: output("Pid", "integer", "Its process id"),
        requestid: output("Request ID", "string", "Request that started it"),
        running: output("Running", "boolean", "Whether it runs"),
        start_time: output("Started", "string", "When it was started"),
        started: output("Started", "boolean", "Whether it was started"),
        stderr_bytes: output("STDERR Bytes", "integer", "Bytes it has printed to standard error"),
        stdout_bytes: output("STDOUT Bytes", "integer", "Bytes it has printed to standard output"),
        terminate_time: output("Terminated", "string", "When it ended"),
      },
    }),
  ],
);
