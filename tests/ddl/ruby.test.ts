import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type AgentDdl, encodeRubyDdl, parseDdl } from "../../lib/ddl/mod.ts";

const fixtures = join(import.meta.dir, "../fixtures/ddl/ruby");
const read = (name: string) => readFileSync(join(fixtures, name), "utf8");

describe("a DDL in Ruby", () => {
  test.each(["requests", "rpcutil"])("is the original's: %s", (name) => {
    const ddl = parseDdl(read(`${name}.registry.json`), name);
    expect(encodeRubyDdl(ddl)).toBe(read(`${name}.registry.ddl`));
  });

  const sample: AgentDdl = {
    metadata: {
      name: "a",
      description: "d",
      author: "",
      license: "",
      version: "1",
      url: "",
      timeout: 5,
      service: true,
    },
    actions: [
      {
        name: "run",
        description: 'says "hi" to #{everybody}',
        display: "ok",
        input: {
          x: { prompt: "", description: "", type: "string", optional: true, validation: "^\\\\it's\\", maxlength: 3 },
          y: { prompt: "", description: "", type: "array", optional: true, default: [1, "b", { c: null }] },
        },
        output: { z: { description: "", display_as: "Z", default: [true] } },
        aggregate: [{ function: "summary", output: "z", options: { format: "%s: %d" } }],
      },
    ],
  };

  test("says nothing that Ruby would run", () => {
    expect(encodeRubyDdl(sample)).toContain(`:description => "says \\"hi\\" to \\#{everybody}" do`);
  });

  test("writes patterns so that Ruby reads them as they are", () => {
    expect(encodeRubyDdl(sample)).toContain(`:validation  => '^\\\\\\it\\'s\\\\',`);
  });

  test("writes defaults, options of aggregates and services", () => {
    const ruby = encodeRubyDdl(sample);
    expect(ruby).toContain(`:default     => [1, "b", {"c" => nil}],`);
    expect(ruby).toContain(`:default     => [true]`);
    expect(ruby).toContain(`aggregate summary(:z, :format => "%s: %d")`);
    expect(ruby).toContain(`:service     => true,`);
  });
});
