import { describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { builtinResolver, encodeDdl, folderResolver, resolveDdl } from "../../lib/ddl/mod.ts";
import { temporaryFolder } from "../support/folder.ts";

async function folderWithDemo(folder: string): Promise<void> {
  const rpcutil = await resolveDdl("rpcutil", [builtinResolver]);
  const demo = { ...rpcutil, metadata: { ...rpcutil.metadata, name: "demo" } };
  mkdirSync(`${folder}/choria/agent`, { recursive: true });
  await Bun.write(`${folder}/choria/agent/demo.json`, encodeDdl(demo));
  await Bun.write(`${folder}/choria/agent/broken.json`, "{");
}

describe("DDL resolvers", () => {
  test("are asked in order", async () => {
    using folder = temporaryFolder();
    await folderWithDemo(folder.path);
    const resolvers = [builtinResolver, folderResolver([folder.path])];
    expect((await resolveDdl("demo", resolvers)).metadata.name).toBe("demo");
    expect((await resolveDdl("rpcutil", resolvers)).metadata.name).toBe("rpcutil");
  });

  test("say where they looked in vain", async () => {
    const resolvers = [builtinResolver, folderResolver(["/nowhere"])];
    const gone = resolveDdl("gone", resolvers);
    await expect(gone).rejects.toThrow("could not resolve gone DDL in any resolver: looked in built in, /nowhere");
  });

  test("report a DDL that cannot be used instead of passing it over", async () => {
    using folder = temporaryFolder();
    await folderWithDemo(folder.path);
    await expect(resolveDdl("broken", [folderResolver([folder.path])])).rejects.toThrow("broken.json");
  });

  test("never leave their folder", async () => {
    await expect(resolveDdl("../../etc/passwd", [folderResolver(["/tmp"])])).rejects.toThrow(
      "not the name of an agent",
    );
  });
});
