import { describe, expect, test } from "bun:test";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { package as packages } from "../../agents/package.ts";
import { requests } from "../../agents/requests.ts";
import { service } from "../../agents/service.ts";
import { encodeDdl, parseDdl } from "../../lib/ddl/mod.ts";
import original from "../fixtures/ddl/requests.json" with { type: "json" };

const folder = join(import.meta.dir, "../../agents");

describe.each([requests, service, packages])("the agent $name", (agent) => {
  const file = join(folder, `${agent.name}.json`);

  test("has the DDL beside it that it generates, key for key", () => {
    const written = JSON.stringify(JSON.parse(readFileSync(file, "utf8")));
    expect(written).toBe(JSON.stringify(JSON.parse(agent.ddl())));
  });

  test("has a DDL that reads, and is written as we write DDLs", () => {
    const ddl = parseDdl(agent.ddl(), file);
    expect(ddl.metadata).toMatchObject({ name: agent.name, provider: "external" });
    expect(encodeDdl(ddl)).toBe(JSON.stringify(JSON.parse(agent.ddl())));
  });

  test("is a program that prints its DDL", async () => {
    const program = join(folder, `${agent.name}.ts`);
    expect(statSync(program).mode & 0o111).toBe(0o111);
    const child = Bun.spawn([program, "--ddl"], { stdout: "pipe", env: { PATH: process.env.PATH } });
    expect(await child.stdout.text()).toBe(agent.ddl());
    expect(await child.exited).toBe(0);
  });
});

test("the agent requests takes and gives what the original takes and gives", () => {
  const { metadata, actions } = JSON.parse(requests.ddl());
  const { name, version, timeout, provider } = original.metadata;
  expect(metadata).toMatchObject({ name, version, timeout, provider });
  const shape = (items: Record<string, object>, keys: readonly string[]) =>
    Object.fromEntries(
      Object.entries(items)
        // Never set by the original.
        .filter(([key]) => key !== "error")
        .map(([key, item]) => [
          key,
          Object.fromEntries(Object.entries(item).filter(([field]) => keys.includes(field))),
        ]),
    );
  const checked = ["type", "optional", "default", "validation", "maxlength", "list"];
  for (const theirs of original.actions) {
    const ours = actions.find(({ action }: { action: string }) => action === theirs.action);
    expect(shape(ours.input, checked)).toEqual(shape(theirs.input, checked));
    expect(shape(ours.output, ["type"])).toEqual(shape(theirs.output, ["type"]));
    expect(ours.display).toBe(theirs.display);
  }
});

test("agents import nothing but the kit and what Bun has, the kit nothing but the latter", () => {
  const imports = (file: string) =>
    [...readFileSync(join(folder, file), "utf8").matchAll(/^import [^;]*?from "([^"]+)"/gm)].map((match) => match[1]);
  for (const file of new Bun.Glob("*.ts").scanSync({ cwd: folder })) {
    const others = imports(file).filter((name) => !name?.startsWith("node:"));
    expect({ file, others }).toEqual({ file, others: file === "kit.ts" ? [] : ["./kit.ts"] });
  }
});
