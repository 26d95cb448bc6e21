import { describe, expect, test } from "bun:test";
import { answerDevice } from "../../../lib/machine/mod.ts";
import type { JsonObject } from "../../../lib/std/mod.ts";
import { TestMachine } from "../../support/machine.ts";

function switchMachine(properties: JsonObject = {}, stateMatch: string[] = []): TestMachine {
  return new TestMachine({
    state: "OFF",
    name: "switch_a",
    transitions: { turn_on: "ON", turn_off: "OFF", lock: "LOCKED" },
    definition: {
      type: "httpswitch",
      name: "sw",
      stateMatch,
      successTransition: "turn_on",
      failTransition: "turn_off",
      properties: {
        on_when: ["ON"],
        off_when: "OFF",
        disable_when: ["LOCKED"],
        annotations: { a: "b" },
        ...properties,
      },
    },
  });
}

describe("an http switch", () => {
  test("shows what the state of its machine means to it", async () => {
    using machine = switchMachine();
    const watcher = await machine.start();
    const off = { status: "off", is_on: false, annotations: { a: "b" } };
    expect(machine.announced).toEqual([off]);
    machine.enter("ON");
    machine.enter("LOCKED");
    machine.enter("OFF");
    expect(machine.announced).toEqual([off, { ...off, status: "on", is_on: true }, off]);
    expect(machine.events).toEqual([]);
    expect(watcher.snapshot().text).toBe("switch_a#sw previous: off");
  });

  test("does not know before a state has a meaning", async () => {
    using machine = switchMachine({ off_when: [] });
    const watcher = await machine.start();
    expect(machine.announced).toEqual([]);
    expect(watcher.snapshot().fields).toEqual({ status: "unknown", is_on: false, annotations: { a: "b" } });
  });
});

test("a switch shows and takes nothing in states of others", async () => {
  using machine = switchMachine({}, ["ON"]);
  const watcher = await machine.start();
  expect(machine.announced).toEqual([]);
  const request = { method: "POST", path: "/choria/machine/switch/v1/switch_a/sw", body: '{"on":true}' };
  const answer = await answerDevice(request, () => watcher);
  expect([answer.status, answer.body, machine.events]).toEqual([500, "watcher is not in an active state", []]);
  machine.enter("ON");
  expect(machine.last?.status).toBe("on");
});

describe("devices over HTTP", () => {
  async function device() {
    const machine = switchMachine();
    const watcher = await machine.start();
    const ask = async (method: string, path: string, body = "") => {
      const find = (name: string, own: string) => (name === "switch_a" && own === "sw" ? watcher : undefined);
      const { status, body: answer } = await answerDevice({ method, path, body }, find);
      return [status, answer] as const;
    };
    return { machine, ask };
  }
  const path = "/choria/machine/switch/v1/switch_a/sw";
  const home = "/choria/homeassistant/switch/v1/switch_a/sw";

  test("a switch is read and pressed", async () => {
    const { machine, ask } = await device();
    const [, body] = await ask("GET", path);
    expect(JSON.parse(body)).toEqual({
      is_on: false,
      is_off: true,
      status: "off",
      detail: {
        protocol: "io.choria.machine.watcher.httpswitch.v1.state",
        identity: "n1.example.net",
        id: machine.context.machine.id,
        version: "1.0.0",
        timestamp: machine.clock.now() / 1_000,
        type: "httpswitch",
        machine: "switch_a",
        name: "sw",
        status: "off",
        is_on: false,
        annotations: { a: "b" },
      },
    });
    expect(await ask("POST", path, '{"on":true}')).toEqual([200, '{"is_on":true}']);
    expect(machine.events).toEqual(["turn_on"]);
    expect(JSON.parse((await ask("GET", path))[1])).toMatchObject({ is_on: true, is_off: false, status: "on" });
    expect(await ask("POST", path, '{"on":false}')).toEqual([200, '{"is_on":true}']);
    expect(machine.events).toEqual(["turn_on", "turn_off"]);
  });

  test("a switch speaks as Home Assistant does", async () => {
    const { machine, ask } = await device();
    expect(await ask("GET", home)).toEqual([200, "OFF"]);
    expect(await ask("POST", home, "ON\n")).toEqual([200, "ON"]);
    expect(await ask("GET", home)).toEqual([200, "ON"]);
    expect(await ask("POST", home, "OFF")).toEqual([200, "ON"]);
    expect(machine.events).toEqual(["turn_on", "turn_off"]);
  });

  test("a switch that is disabled, or a request that makes no sense, is an error", async () => {
    const { machine, ask } = await device();
    machine.enter("LOCKED");
    expect(await ask("POST", path, '{"on":true}')).toEqual([500, "watcher is disabled"]);
    expect(await ask("POST", home, "ON")).toEqual([500, "watcher is disabled"]);
    expect(machine.events).toEqual([]);
    machine.enter("OFF");
    for (const body of ["", "{", "[]", "{}", '{"on":"yes"}', "ON"])
      expect((await ask("POST", path, body))[0]).toBe(500);
    expect((await ask("POST", home, "maybe"))[0]).toBe(500);
    expect((await ask("DELETE", path))[0]).toBe(405);
  });

  test("what is not there is told apart", async () => {
    const { ask } = await device();
    expect(await ask("GET", "/choria/machine/switch/v1/switch_a/other")).toEqual([400, "switch not found"]);
    expect(await ask("GET", "/choria/machine/switch/v1/%zz/sw")).toEqual([400, "switch not found"]);
    expect(await ask("GET", "/choria/machine/metric/v1/switch_a/sw")).toEqual([400, "metric not found"]);
    expect(await ask("GET", "/choria/machine/switch/v1/switch_%61/s%77")).toMatchObject([200, expect.anything()]);
    for (const other of ["/", "/choria/machine/switch/v2/switch_a/sw", `${path}/more`]) {
      expect((await ask("GET", other))[0]).toBe(404);
    }
  });
});
