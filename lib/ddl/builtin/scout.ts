import type { DdlAction, DdlAggregate, DdlInput } from "../ddl.ts";
import { action, agentDdl, output, textInput } from "./_parts.ts";

const checks: DdlInput = {
  prompt: "Checks",
  description: "Names of checks; all of the node where none are named",
  type: "array",
  optional: true,
};

function outcomes(done: string) {
  return {
    transitioned: output("Triggered", "array", `Checks that ${done}`),
    failed: output("Failed", "array", "Checks that are not there, or could not be steered"),
    skipped: output("Skipped", "array", "Checks whose state does not allow it"),
  };
}

/** How many tests of which kind, over the nodes. */
function tally(item: string, words: string): DdlAggregate {
  return { function: "summary", output: item, options: { format: `%s ${words} on %d nodes` } };
}

const validate: DdlAction = {
  ...action("goss_validate", "Validate the node against rules of Goss", {
    display: "failed",
    input: {
      file: textInput("Rules file", "Rules in a file on the node", ".+", 256, { optional: true }),
      vars: textInput("Variables file", "Variables of the rules in a file on the node", ".+", 256, { optional: true }),
      yaml_rules: textInput("Rules", "The rules themselves, YAML", ".", 5_120, { optional: true }),
      yaml_vars: textInput("Variables", "The variables themselves, YAML or JSON", ".+", 5_120, { optional: true }),
    },
    output: {
      failures: output("Failed Tests", "integer", "Tests that failed"),
      results: output("Results", "array", "What each test found"),
      runtime: output("Runtime", "integer", "Seconds that the tests took"),
      skipped: output("Skipped", "integer", "Tests that were left out"),
      success: output("Success", "integer", "Tests that passed"),
      summary: output("Summary", "string", "All in one line"),
      tests: output("Tests", "integer", "How many tests there were"),
    },
  }),
  aggregate: [tally("tests", "tests"), tally("failures", "failed tests"), tally("success", "passed tests")],
};

/** Health checks of a server. */
export const scout = agentDdl(
  {
    name: "scout",
    description: "Looks at the checks of a server and steers them",
    timeout: 5,
    provider: "golang",
  },
  [
    action("checks", "The checks of the node, and how they are", {
      display: "ok",
      output: { checks: output("Checks", "array", "Each check with its state and its last result") },
    }),
    action("resume", "End the maintenance of checks", {
      display: "failed",
      input: { checks },
      output: outcomes("check again"),
    }),
    action("maintenance", "Let checks rest until they are resumed", {
      display: "failed",
      input: { checks },
      output: outcomes("rest now"),
    }),
    validate,
    action("trigger", "Have checks run now", {
      display: "failed",
      input: { checks },
      output: outcomes("were told to run"),
    }),
  ],
);
