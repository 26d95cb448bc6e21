import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { generateKey } from "../../../lib/crypto/mod.ts";
import { packSpecification } from "../../../lib/machine/mod.ts";
import { encodeUtf8, type Json, type JsonObject } from "../../../lib/std/mod.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { TestMachine, type TestMachineOptions } from "../../support/machine.ts";
import { waitFor } from "../../support/wait.ts";

const key = generateKey();
let folder: ReturnType<typeof temporaryFolder>;
let machine: TestMachine | undefined;

beforeEach(() => {
  folder = temporaryFolder();
  mkdirSync(folder.file("store/plugins_manager"), { recursive: true });
});

afterEach(() => {
  machine?.stop();
  folder[Symbol.dispose]();
});

const plugin = (name: string, more: JsonObject = {}): JsonObject => ({
  name,
  source: `http://plugins.example.net/${name}.tgz`,
  checksum: "00",
  verify_checksum: "11",
  ...more,
});

const specification = (plugins: JsonObject[], by = key): Json =>
  JSON.parse(packSpecification(encodeUtf8(JSON.stringify(plugins)), by)) as Json;

async function start(
  spec: Json | undefined,
  properties: JsonObject = {},
  options: Partial<TestMachineOptions> = {},
): Promise<TestMachine> {
  machine = new TestMachine({
    definition: {
      type: "plugins",
      interval: 2_000,
      properties: { data_item: "spec", public_key: key.publicKey, plugin_manage_interval: "30s", ...properties },
      successTransition: "good",
      failTransition: "bad",
    },
    folder: folder.file("store/plugins_manager"),
    facts: { os: "linux" },
    ...(spec === undefined ? {} : { data: { spec } }),
    ...options,
  });
  await machine.start();
  await waitFor("the first look", () => machine?.events.length === 1);
  return machine;
}

const outcome = (m: TestMachine) => m.last?.previous_outcome;
const store = () => readdirSync(folder.file("store")).sort();
const manager = (name: string) => folder.file(`store/mm_${name}/machine.yaml`);

async function beat(m: TestMachine, count: number): Promise<void> {
  await m.clock.advance(2_000);
  await waitFor(`${count} outcomes`, () => m.events.length >= count);
}

describe("plugins", () => {
  test("get a machine each that looks after them", async () => {
    const m = await start(specification([plugin("a"), plugin("b")]));
    expect(store()).toEqual(["mm_a", "mm_b", "plugins_manager"]);
    expect(lstatSync(folder.file("store/mm_a")).mode & 0o777).toBe(0o700);
    expect(lstatSync(manager("a")).mode & 0o777).toBe(0o600);
    expect(readFileSync(manager("a"), "utf8")).toContain(`target: "${folder.file("store")}"`);
    expect(readFileSync(manager("a"), "utf8")).toContain('interval: "30s"');
    expect(m.announced).toEqual([
      { plugins: ["a", "b"], previous_outcome: "updated", previous_run_time: expect.any(Number) },
    ]);
    expect(m.logger.messages).toContain(
      `Deploying plugin a from http://plugins.example.net/a.tgz into ${folder.file("store")}`,
    );
  });

  test("that stand as they should are left alone, silently", async () => {
    const m = await start(specification([plugin("a")]));
    const { ino } = lstatSync(manager("a"));
    m.enter("OTHER");
    await m.clock.advance(10_000);
    expect([lstatSync(manager("a")).ino, m.announced.length]).toEqual([ino, 1]);
  });

  const tampering: [what: string, tamper: () => void][] = [
    ["changed", () => writeFileSync(manager("a"), "name: evil")],
    ["gone", () => rmSync(manager("a"))],
    [
      "a link",
      () => {
        rmSync(manager("a"));
        symlinkSync("/etc/passwd", manager("a"));
      },
    ],
    [
      "in a folder that is a link",
      () => {
        rmSync(folder.file("store/mm_a"), { recursive: true });
        mkdirSync(folder.file("elsewhere"));
        symlinkSync(folder.file("elsewhere"), folder.file("store/mm_a"));
      },
    ],
  ];

  test.each(tampering)("are put right within an interval when the manifest is %s", async (_, tamper) => {
    const m = await start(specification([plugin("a")]));
    const before = readFileSync(manager("a"), "utf8");
    tamper();
    await beat(m, 2);
    expect(readFileSync(manager("a"), "utf8")).toBe(before);
    expect(lstatSync(folder.file("store/mm_a")).isDirectory()).toBeTrue();
  });

  test("that are listed no longer are removed, with what they installed", async () => {
    const m = await start(specification([plugin("a"), plugin("b")]), { purge_unknown: true });
    for (const name of ["a", "b", "mine"]) mkdirSync(folder.file(`store/${name}`));
    m.data.set("spec", specification([plugin("b")]));
    await m.clock.advance(2_000);
    await waitFor("the end of its machine", () => !existsSync(folder.file("store/mm_a")));
    expect(existsSync(folder.file("store/a"))).toBeTrue();
    await beat(m, 2);
    expect(store()).toEqual(["b", "mine", "mm_b", "plugins_manager"]);
  });

  test("in a folder of their own are removed from there", async () => {
    const elsewhere = { purge_unknown: true, plugins_directory: folder.file("agents"), manager_machine_prefix: "eam" };
    const m = await start(specification([plugin("a")]), elsewhere);
    mkdirSync(folder.file("agents/a"), { recursive: true });
    m.data.set("spec", specification([]));
    await m.clock.advance(2_000);
    await beat(m, 2);
    expect([store(), readdirSync(folder.file("agents"))]).toEqual([["plugins_manager"], []]);
  });

  test("stay where nothing is to be purged", async () => {
    const m = await start(specification([plugin("a")]));
    m.data.set("spec", specification([plugin("b")]));
    await beat(m, 2);
    expect(store()).toEqual(["mm_a", "mm_b", "plugins_manager"]);
  });

  test("that are for other nodes are named, and not deployed", async () => {
    const m = await start(
      specification([
        plugin("a", { match: "get_fact('os') == 'linux'" }),
        plugin("b", { match: "identity('^web')" }),
        plugin("c", { match: "nonsense(" }),
      ]),
    );
    expect([store(), m.last?.plugins]).toEqual([
      ["mm_a", "plugins_manager"],
      ["a", "b", "c"],
    ]);
  });

  test("whose matcher has no answer any more stay as they are", async () => {
    const m = await start(specification([plugin("a"), plugin("b")]), { purge_unknown: true });
    m.data.set("spec", specification([plugin("a", { match: "1 +" })]));
    await m.clock.advance(2_000);
    await beat(m, 2);
    expect(store()).toEqual(["mm_a", "plugins_manager"]);
  });
});

describe("a specification", () => {
  test("that is not there is an error", async () => {
    const m = await start(undefined);
    expect([outcome(m), m.events]).toEqual(["error", ["bad"]]);
    expect(JSON.stringify(m.logger.lines)).toContain("data item spec not present");
  });

  test.each<[what: string, spec: Json]>([
    ["without a signature", { plugins: "W10=" }],
    ["with somebody else's signature", specification([plugin("a")], generateKey())],
    ["that is no document", "x"],
  ])("%s is forgotten, and nothing of it happens", async (_, spec) => {
    const m = await start(spec);
    expect([outcome(m), m.data.all, store()]).toEqual(["error", {}, ["plugins_manager"]]);
    expect(JSON.stringify(m.logger.lines)).toContain("invalid data_item");
  });

  test("that is signed but wrong is an error, and kept", async () => {
    const m = await start(specification([plugin("../../x")]));
    expect([outcome(m), Object.keys(m.data.all), store()]).toEqual(["error", ["spec"], ["plugins_manager"]]);
  });

  test("is held to the key of the configuration rather than to that of the machine", async () => {
    const other = generateKey();
    const settings = { settings: { signingKey: other.publicKey } };
    expect(outcome(await start(specification([plugin("a")]), {}, settings))).toBe("error");
    machine?.stop();
    expect(outcome(await start(specification([plugin("a")], other), {}, settings))).toBe("updated");
  });

  test("needs no signature where nobody has a key", async () => {
    const spec = JSON.parse(packSpecification(encodeUtf8(JSON.stringify([plugin("a")])))) as Json;
    expect(outcome(await start(spec, { public_key: "" }))).toBe("updated");
  });

  test("of many megabytes is refused quickly", async () => {
    const spec = specification([plugin("a", { match: "x".repeat(12 * 1024 ** 2) })]);
    const started = performance.now();
    expect(outcome(await start(spec))).toBe("error");
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

test.each([
  [{ data_item: "" }, "data_item is required"],
  [{ manager_machine_prefix: "a_b" }, "manager_machine_prefix may not contain underscore"],
  [{ manager_machine_prefix: "../x" }, "is no part of a file name"],
])("with %p a watcher does not start", async (properties, reason) => {
  await expect(start(undefined, properties)).rejects.toThrow(reason);
});
