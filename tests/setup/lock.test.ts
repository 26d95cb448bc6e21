import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { Layout, whileAlone } from "../../lib/setup/mod.ts";
import { systemClock } from "../../lib/std/mod.ts";
import { decodeTokenUnverified, verifyToken } from "../../lib/tokens/mod.ts";
import { temporaryFolder } from "../support/folder.ts";

const program = resolve(import.meta.dir, "../../cmd/setup.ts");
const members = ["aaasvc/chain-signer", "aaasvc/request-signer", "aaasvc/signer-service", "broker/broker"];

test("networks that are set up at the same time in one folder are one network", async () => {
  using folder = temporaryFolder();
  const env = { ...process.env, CHORIA_STATE: folder.path };
  const runs = Array.from({ length: 4 }, () =>
    Bun.spawn([process.execPath, "run", program], { env, stdout: "ignore", stderr: "inherit" }),
  );
  expect(await Promise.all(runs.map(({ exited }) => exited))).toEqual([0, 0, 0, 0]);
  const read = (file: string) => readFileSync(folder.file(`credentials/${file}`), "utf8").trim();
  const key = { ed25519: read("issuer/issuer.public") };
  for (const member of [...members, "provisioner/signer"]) {
    const token = read(`${member}.jwt`);
    const { purpose } = decodeTokenUnverified(token);
    const claims = await verifyToken(token, purpose, { key, now: Date.now() });
    expect(claims.public_key).toBe(read(`${member}.public`));
  }
});

test("who was killed while setting a network up is not waited for", async () => {
  using folder = temporaryFolder();
  const layout = new Layout(folder.path);
  const say = () => expect.unreachable();
  const options = { layout, clock: systemClock, say };
  await whileAlone(options, async () => undefined);
  for (const left of [
    '{"pid":4194305,"started":"1"}',
    `{"pid":${process.pid},"started":"1"}`,
    '{"pid":4194305}',
    "",
    "{",
  ]) {
    writeFileSync(layout.pid("setup"), left);
    expect(await whileAlone(options, async () => "done")).toBe("done");
  }
});

test("work that fails leaves no lock behind", async () => {
  using folder = temporaryFolder();
  const options = { layout: new Layout(folder.path), clock: systemClock, say: () => expect.unreachable() };
  await expect(whileAlone(options, () => Promise.reject(new Error("no luck")))).rejects.toThrow("no luck");
  expect(await whileAlone(options, async () => "done")).toBe("done");
});
