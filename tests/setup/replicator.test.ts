import { expect, test } from "bun:test";
import { resolve } from "node:path";
import { loadReplicatorConfig } from "../../lib/replicator/mod.ts";
import { Layout, prepareNetwork } from "../../lib/setup/mod.ts";
import { systemClock } from "../../lib/std/mod.ts";
import { decodeTokenUnverified, readTokenFile } from "../../lib/tokens/mod.ts";
import { temporaryFolder } from "../support/folder.ts";

test("the local network copies its registrations to a server outside, with a token for no more than that", async () => {
  using folder = temporaryFolder();
  const layout = new Layout(folder.path);
  const checkout = resolve(import.meta.dir, "../..");
  const ports = await prepareNetwork({ layout, checkout, clock: systemClock, say: () => undefined });
  const config = loadReplicatorConfig(layout.config("stream-replicator", "sr.yaml"));
  expect(config.monitorPort).toBe(ports.replicatorMonitor);
  expect(config.monitorAddress).toBe("127.0.0.1");
  const [entry] = config.entries;
  expect(entry).toMatchObject({
    stream: "CHORIA_REGISTRATION",
    sourceUrl: `nats://127.0.0.1:${ports.broker}`,
    targetUrl: `nats://127.0.0.1:${ports.nats}`,
    targetChoria: { seedFile: "", tokenFile: "", collective: "" },
    inspectField: "sender",
    inspectDuration: 1_200_000,
    advisory: { subject: "choria.node_advisories.%v" },
  });
  const token = decodeTokenUnverified(readTokenFile(entry?.sourceChoria.tokenFile ?? ""));
  expect(token).toMatchObject({ callerid: "stream_replicator", permissions: { streams_user: true } });
  expect(config.heartbeats?.subjects.map(({ subject }) => subject)).toEqual(["choria.node_metadata._monitor"]);
});
