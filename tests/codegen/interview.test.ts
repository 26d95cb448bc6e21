import { describe, expect, test } from "bun:test";
import { type Interviewer, interviewDdl, quietInterviewer } from "../../lib/codegen/mod.ts";

/** Answers questions in their order: each as it is asked for, an empty text taking the default. */
function scripted(
  script: readonly [question: string, answer: string | boolean][],
): Interviewer & { left: () => number } {
  const lines = [...script];
  const next = (question: string) => {
    const [expected, answer] = lines.shift() ?? ["nothing", ""];
    expect(question).toBe(expected);
    return answer;
  };
  return {
    left: () => lines.length,
    async text(question, fallback, check) {
      const answer = String(next(question)) || fallback;
      const reason = check(answer);
      if (reason !== undefined) throw new Error(`${question}: ${reason}`);
      return answer;
    },
    async choose(question, choices, fallback) {
      const answer = String(next(question)) || fallback;
      expect(choices).toContain(answer);
      return answer;
    },
    confirm: async (question) => next(question) === true,
  };
}

const about = { name: "clock", description: "Tells the time", author: "me" };

describe("a DDL by questions", () => {
  test("asks for everything", async () => {
    const interviewer = scripted([
      ["Agent Name", "clock"],
      ["Description", "Tells the time"],
      ["Author", "me"],
      ["Version", ""],
      ["License", ""],
      ["URL", "https://clock.example.net"],
      ["Timeout in seconds", "5"],
      ["Backend Provider", ""],
      ["Is it a service, one host of which answers?", true],
      ["Add an action?", true],
      ["Action Name", "tell"],
      ["Description", "Tell the time"],
      ["Display Hint", "always"],
      ["Add an input?", true],
      ["Input Name", "style"],
      ["Prompt", ""],
      ["Description", "How"],
      ["Data Type", "list"],
      ["Optional?", true],
      ["Valid Values (comma separated)", "long, short"],
      ["Default Value", "long"],
      ["Add an input?", false],
      ["Add an output?", true],
      ["Output Name", "drift"],
      ["Description", "Seconds it is late"],
      ["Data Type", "float"],
      ["Display As", "Drift"],
      ["Default Value", "0.5"],
      ["Add an output?", false],
      ["Add an action?", false],
    ]);
    const ddl = await interviewDdl({}, interviewer);
    expect(interviewer.left()).toBe(0);
    expect(ddl).toEqual({
      metadata: {
        name: "clock",
        description: "Tells the time",
        author: "me",
        version: "0.0.1",
        license: "Apache-2.0",
        url: "https://clock.example.net",
        timeout: 5,
        provider: "external",
        service: true,
      },
      actions: [
        {
          name: "tell",
          description: "Tell the time",
          display: "always",
          input: {
            style: {
              prompt: "style",
              description: "How",
              type: "list",
              optional: true,
              list: ["long", "short"],
              default: "long",
            },
          },
          output: { drift: { description: "Seconds it is late", display_as: "Drift", type: "float", default: 0.5 } },
          aggregate: [],
        },
      ],
    });
  });

  test("does not ask what is answered beforehand", async () => {
    const actions = [
      {
        name: "tell",
        description: "Tell the time",
        inputs: [{ name: "zone", description: "Where" }],
        outputs: [{ name: "time", description: "When", type: "string" }],
        aggregate: [{ function: "summary", args: ["time"] }],
      },
    ];
    const ddl = await interviewDdl({ ...about, actions }, quietInterviewer);
    expect(ddl.actions[0]?.input.zone).toEqual({
      prompt: "zone",
      description: "Where",
      type: "string",
      optional: false,
      validation: ".",
      maxlength: 512,
    });
    expect(ddl.actions[0]?.aggregate).toEqual([{ function: "summary", output: "time", options: {} }]);
  });

  test("names the answer that does not fit, or is missing", async () => {
    const make = (answers: object) => interviewDdl({ ...about, ...answers }, quietInterviewer);
    await expect(interviewDdl({}, quietInterviewer)).rejects.toThrow('Cannot do without an answer to "Agent Name"');
    await expect(make({ name: "Clock!" })).rejects.toThrow("Cannot use the answer /name: expected lower-case letters");
    await expect(make({ service: "yes" })).rejects.toThrow("Cannot use the answer /service: expected true or false");
    await expect(make({ actions: [{}] })).rejects.toThrow(
      "Cannot use the answer /actions/0: the Action Name is missing",
    );
    await expect(
      make({ actions: [{ name: "a", description: "b", inputs: [{ name: "x", type: "no" }] }] }),
    ).rejects.toThrow("Cannot use the answer /actions/0/inputs/0: the Description is missing");
    await expect(make({ actions: [{ name: "a", description: "b", display: "sometimes" }] })).rejects.toThrow(
      "Cannot use the answer /actions/0/display: expected one of ok, failed, always",
    );
  });
});
