import { describe, expect, test } from "bun:test";
import { generateKey, keyFromSeed } from "../../../lib/crypto/mod.ts";
import {
  isSigned,
  type ManagerOptions,
  packSpecification,
  parsePlugins,
  readSpecification,
  renderManager,
  SpecificationError,
} from "../../../lib/machine/mod.ts";
import { encodeUtf8, type JsonObject } from "../../../lib/std/mod.ts";
import vector from "../../fixtures/machines/engine_run.json";
import golden from "../../fixtures/machines/plugins_pack.json";

const key = generateKey();
const plugin = { name: "a", source: "http://x/a.tgz", checksum: "00", verify_checksum: "11" };
const manifest = (...plugins: JsonObject[]) => encodeUtf8(JSON.stringify(plugins));
const signed = (...plugins: JsonObject[]) => JSON.parse(packSpecification(manifest(...plugins), key));

describe("packSpecification()", () => {
  test("writes what the original writes, byte for byte", () => {
    const packed = packSpecification(encodeUtf8(golden.file), keyFromSeed(golden.seed_hex));
    expect(`${packed}\n`).toBe(golden.stdout);
    expect(isSigned(JSON.parse(packed), golden.public_hex)).toBeTrue();
  });

  test("without a key leaves the signature out", () => {
    expect(Object.keys(JSON.parse(packSpecification(manifest(plugin))))).toEqual(["plugins"]);
  });
});

describe("readSpecification()", () => {
  test("gives the plugins of a signed document", () => {
    expect(readSpecification(signed(plugin), key.publicKey)).toEqual([
      {
        name: "a",
        source: "http://x/a.tgz",
        checksum: "00",
        verifyChecksum: "11",
        username: "",
        password: "",
        match: "",
        governor: "",
      },
    ]);
  });

  test("asks for no signature where there is no key", () => {
    expect(readSpecification(JSON.parse(packSpecification(manifest(plugin))), "")).toHaveLength(1);
  });

  const document = signed(plugin);
  test.each([
    ["none at all", undefined],
    ["a text", "x"],
    ["no signature", { plugins: document.plugins }],
    ["an empty signature", { ...document, signature: "" }],
    ["a signature that is no hex", { ...document, signature: "zz" }],
    ["a signature with more at its end", { ...document, signature: `${document.signature}00` }],
    ["other plugins", { ...document, plugins: signed({ ...plugin, name: "b" }).plugins }],
    ["plugins with a line end after them", { ...document, plugins: `${document.plugins}\n` }],
    ["somebody else's signature", JSON.parse(packSpecification(manifest(plugin), generateKey()))],
    ["a signature over the JSON itself", { ...document, signature: key.sign(manifest(plugin)).toHex() }],
  ])("refuses %s before it looks at anything", (_, given) => {
    const refused = thrown(() => readSpecification(given, key.publicKey));
    expect(refused).toMatchObject({ isUnsigned: true });
  });

  test("with a key that is none refuses everything", () => {
    expect(thrown(() => readSpecification(document, "00"))).toMatchObject({ isUnsigned: true });
  });
});

describe("parsePlugins()", () => {
  test.each([
    ["{}", "invalid specification: expected a list of plugins"],
    ["[1]", "invalid specification: expected a list of plugins"],
    ["[", "invalid specification: "],
    [JSON.stringify([{}]), "name is required"],
    [JSON.stringify([{ name: "a" }]), "source is required for a"],
    [JSON.stringify([{ name: "a", source: "s" }]), "checksum is required for a"],
    [JSON.stringify([{ name: "a", source: "s", checksum: "c" }]), "verify_checksum is required for a"],
    [JSON.stringify([{ ...plugin, match: 1 }]), "match of a is not a text"],
    [JSON.stringify([plugin, plugin]), "plugin a is listed twice"],
    [JSON.stringify(Array.from({ length: 1_001 }, (_, i) => ({ ...plugin, name: `a${i}` }))), "more than 1000"],
  ])("refuses %.60s", (text, reason) => {
    expect(() => parsePlugins(encodeUtf8(text))).toThrow(reason);
  });

  test.each([
    "..",
    ".",
    "../a",
    "a/b",
    "/etc",
    "a\u0000",
    "tmp",
    "x-temp",
    ".hidden",
    "a b",
    "-rf",
    "a".repeat(101),
    "ä",
  ])("refuses the name %p", (name) => {
    expect(() => parsePlugins(manifest({ ...plugin, name }))).toThrow(SpecificationError);
  });

  test("refuses bytes that are no text", () => {
    expect(() => parsePlugins(Uint8Array.of(0xff, 0xfe))).toThrow("invalid specification");
  });
});

describe("renderManager()", () => {
  const options: ManagerOptions = { prefix: "eam", folder: "/opt/lab/agents", interval: 10_000 };

  test("writes what the original writes, byte for byte", () => {
    const { spec } = JSON.parse(vector.files["machines/external_agents/machine_data.json"].content);
    const [requests] = readSpecification(spec, golden.public_hex);
    expect(requests && renderManager(requests, options)).toBe(
      vector.files["machines/eam_requests/machine.yaml"].content,
    );
  });

  test("lets nothing out of its quotes", () => {
    const [entry] = parsePlugins(manifest({ ...plugin, source: 'http://x/"\nwatchers: []\n#' }));
    const written = Bun.YAML.parse(entry ? renderManager(entry, options) : "") as JsonObject;
    expect(written.watchers).toMatchObject([{ properties: { source: 'http://x/"\nwatchers: []\n#' } }]);
  });
});

function thrown(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
