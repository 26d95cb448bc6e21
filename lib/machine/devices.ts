import { errorText, isObject, type JsonObject } from "../std/mod.ts";
import type { Watcher } from "./watcher.ts";

/** What a metric watcher measured last: its document on the network and over HTTP. */
export interface MetricDocument {
  labels: Record<string, string>;
  metrics: Record<string, number>;
  /** Unix seconds. */
  time: number;
}

/** A watcher that can be switched on and off over HTTP. */
export interface SwitchDevice extends Watcher {
  readonly device: "switch";
  readonly status: "unknown" | "on" | "off";
  /** Its document as it is published. */
  readonly detail: JsonObject;
  /** Ask for on or off. @throws {Error} saying why that is not accepted. */
  press(isOn: boolean): Promise<void>;
}

/** A watcher whose figures can be read over HTTP. */
export interface MetricDevice extends Watcher {
  readonly device: "metric";
  readonly measured: MetricDocument;
}

/** The parts of an HTTP request that matter. */
export interface DeviceRequest {
  method: string;
  /** Path with its percent signs resolved or not, without a query. */
  path: string;
  body: string;
}

/** The parts of the answer to it. */
export interface DeviceAnswer {
  status: number;
  contentType: string;
  body: string;
}

/** Finds a watcher by the names of its machine and its own. */
export type FindWatcher = (machine: string, watcher: string) => Watcher | undefined;

const route = /^\/choria\/(machine\/switch|homeassistant\/switch|machine\/metric)\/v1\/([^/]+)\/([^/]+)$/;

/**
 * Answer a request for the watchers of a node:
 *
 * - `GET` and `POST /choria/machine/switch/v1/MACHINE/WATCHER`: `{is_on, is_off, status, detail}`; taken is `{"on":true}`,
 *   answered with `{is_on}`, true where it was accepted
 * - `GET` and `POST /choria/homeassistant/switch/v1/MACHINE/WATCHER`: `ON` or `OFF`
 * - `GET /choria/machine/metric/v1/MACHINE/WATCHER`: `{labels, metrics, time}`
 *
 * What is not there is answered with 400, a request that makes no sense or is not accepted with 500. Never rejects.
 */
export async function answerDevice(request: DeviceRequest, find: FindWatcher): Promise<DeviceAnswer> {
  const [, family, machine, watcher] = route.exec(request.path) ?? [];
  if (family === undefined) return text(404, "not found");
  const found = find(decoded(machine), decoded(watcher));
  if (family === "machine/metric") {
    if (request.method !== "GET") return text(405, "method not allowed");
    return isMetric(found) ? json(found.measured) : text(400, "metric not found");
  }
  if (request.method !== "GET" && request.method !== "POST") return text(405, "method not allowed");
  if (!isSwitch(found)) return text(400, "switch not found");
  const answer = family === "machine/switch" ? switchAnswer : homeAnswer;
  try {
    return await answer(request, found);
  } catch (error) {
    return text(500, errorText(error));
  }
}

async function switchAnswer({ method, body }: DeviceRequest, device: SwitchDevice): Promise<DeviceAnswer> {
  if (method === "GET") {
    const { status, detail } = device;
    return json({ is_on: status === "on", is_off: status === "off", status, detail });
  }
  const wanted = wantedState(body);
  if (wanted === undefined) return text(500, 'expected {"on": true} or {"on": false}');
  await device.press(wanted);
  return json({ is_on: true });
}

async function homeAnswer({ method, body }: DeviceRequest, device: SwitchDevice): Promise<DeviceAnswer> {
  if (method === "GET") return text(200, device.status === "on" ? "ON" : "OFF");
  const wanted = body.trim().toUpperCase();
  if (wanted !== "ON" && wanted !== "OFF") return text(500, "expected ON or OFF");
  await device.press(wanted === "ON");
  // What is accepted is answered with ON, whichever was asked for.
  return text(200, "ON");
}

function wantedState(body: string): boolean | undefined {
  try {
    const document: unknown = JSON.parse(body);
    return isObject(document) && typeof document.on === "boolean" ? document.on : undefined;
  } catch {
    return undefined;
  }
}

function isSwitch(watcher: Watcher | undefined): watcher is SwitchDevice {
  return watcher !== undefined && "device" in watcher && watcher.device === "switch";
}

function isMetric(watcher: Watcher | undefined): watcher is MetricDevice {
  return watcher !== undefined && "device" in watcher && watcher.device === "metric";
}

function decoded(part = ""): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function json(document: JsonObject | MetricDocument): DeviceAnswer {
  return { status: 200, contentType: "application/json", body: JSON.stringify(document) };
}

function text(status: number, body: string): DeviceAnswer {
  return { status, contentType: "text/plain; charset=utf-8", body };
}
