import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { Kvm } from "@nats-io/kv";
import type { Msg } from "@nats-io/nats-core";
import { type Connection, connectBroker } from "../../../lib/connector/mod.ts";
import { isObject, type JsonObject, parseObject, silentLogger, systemClock } from "../../../lib/std/mod.ts";
import { Governors } from "../../../lib/streams/mod.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { TestMachine } from "../../support/machine.ts";
import { startNats, type TestNats } from "../../support/nats.ts";
import { waitFor } from "../../support/wait.ts";

const folder = temporaryFolder();
let nats: TestNats;
let connection: Connection;
let governors: Governors;

beforeAll(async () => {
  nats = await startNats(`jetstream { store_dir: "${folder.file("streams")}" }`);
  connection = await connectBroker({
    servers: [nats.address],
    name: "n1",
    login: () => ({}),
    inboxPrefix: "_INBOX",
    logger: silentLogger,
    tls: false,
  });
  governors = new Governors(connection, "choria");
});

afterAll(async () => {
  await connection.close();
  await nats[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

function governedMachine(name: string, properties: JsonObject): TestMachine {
  return new TestMachine({
    name,
    folder: folder.path,
    connection,
    clock: systemClock,
    definition: { type: "exec", successTransition: "good", failTransition: "bad", properties },
  });
}

describe("exec watchers with a governor", () => {
  test("run one after the other where it has one slot, and tell of their slots", async () => {
    await governors.save({ name: "slow", capacity: 1, expires: 60_000 });
    const events: JsonObject[] = [];
    connection.subscribe("choria.lifecycle.event.governor.*", (message: Msg) => {
      const event = parseObject(message.data);
      if (isObject(event)) events.push(event);
    });
    writeFileSync(folder.file("log"), "");
    const command = `sh -c 'echo in >> log; sleep 0.1; echo out >> log'`;
    const properties = { command, governor: "slow", governor_timeout: "30s" };
    const machines = ["a", "b", "c"].map((name) => governedMachine(name, properties));
    for (const machine of machines) {
      await machine.start();
      machine.enter("NEXT");
    }
    await waitFor("all runs", () => machines.every(({ events: fired }) => fired.length > 0), 20_000);
    expect(machines.map(({ events: [event] }) => event)).toEqual(["good", "good", "good"]);
    expect(readFileSync(folder.file("log"), "utf8")).toBe("in\nout\n".repeat(3));
    expect((await governors.find("slow"))?.active).toBe(0);
    await waitFor("the events", () => events.length === 6);
    expect(events.map(({ event_type: type }) => type)).toEqual(["enter", "exit", "enter", "exit", "enter", "exit"]);
    expect(events[0]).toMatchObject({
      protocol: "io.choria.lifecycle.v1.governor",
      identity: "n1.example.net",
      governor: "slow",
      sequence: expect.any(Number),
    });
    for (const machine of machines) machine.stop();
  });

  test("do not run where it stays full, or is not there", async () => {
    await governors.save({ name: "full", capacity: 1, expires: 60_000 });
    await connection.nats.request("choria.governor.full", "somebody");
    for (const governor of ["full", "missing"]) {
      using machine = governedMachine("m", { command: "touch ran", governor, governor_timeout: "300ms" });
      await machine.start();
      machine.enter("NEXT");
      await waitFor("the failure", () => machine.events.length > 0);
      expect(machine.events).toEqual(["bad"]);
      expect(machine.last?.previous_outcome).toBe("error");
    }
    expect(await Bun.file(folder.file("ran")).exists()).toBe(false);
  });
});

test("a service that gossips stands in the bucket of services", async () => {
  const bucket = await new Kvm(connection.nats).create("CHORIA_SERVICES");
  const registration = { cluster: "lon", service: "web", protocol: "http", ip: "192.0.2.10", port: 80, priority: 1 };
  using machine = new TestMachine({
    connection,
    definition: { type: "gossip", properties: { registration, ttl_seconds: 30 } },
  });
  await machine.start();
  await machine.clock.advance(0);
  const key = `lon.http.web.${machine.context.machine.id}`;
  const entry = await waitFor("the entry", () => bucket.get(key));
  expect(entry.json<JsonObject>()).toEqual({
    cluster: "lon",
    service: "web",
    protocol: "http",
    address: "192.0.2.10",
    port: 80,
    priority: 1,
  });
});
