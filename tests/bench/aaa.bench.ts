import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Connection, connectBroker } from "../../lib/connector/mod.ts";
import { encodeBase64, generateKey } from "../../lib/crypto/mod.ts";
import {
  decodeReply,
  decodeRpcReply,
  decodeSecureReply,
  decodeTransport,
  emptyFilter,
  encodeRequest,
  encodeRpcRequest,
  encodeSecureRequest,
  encodeTransport,
  insecureSignature,
  newRequest,
  subjects,
} from "../../lib/protocol/mod.ts";
import { encodeUtf8, silentLogger } from "../../lib/std/mod.ts";
import { type Installation, install, type LoggedIn, logIn } from "../aaa/_installation.ts";
import { startTestBroker } from "../support/broker.ts";
import { canConnect } from "../support/nats.ts";
import { TestOrganization } from "../support/organization.ts";
import { waitFor } from "../support/wait.ts";
import { memoryOf, report } from "./report.ts";

/** How long each measurement lasts, in milliseconds. */
const span = Number(process.env.AAA_SPAN ?? 3_000);
const clients = [1, 8, 32] as const;
/** Bcrypt cost of the passwords, the one the original was measured with. */
const cost = 5;
const tls = { rejectUnauthorized: false };
const caller = "up=choria";

/** What the original does a second at 1, 8 and 32 clients. */
const original = {
  login: [156, 346, 332],
  loginPlain: [292, 388, undefined],
  sign: [140, 249, 260],
  signPlain: [203, 365, 385],
  service: [127, 220, 232],
} as const;

function startService(set: Installation, ...flags: string[]) {
  const program = join(import.meta.dir, "../../cmd/aaa.ts");
  return Bun.spawn([process.execPath, program, "run", "--config", set.file("aaa.conf"), ...flags], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}

/** Processor time that a process has used, in milliseconds. Linux only. */
function processorTime(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Let some clients do something again and again, and report how often it was done. */
async function measure(
  work: string,
  pid: number,
  peers: readonly (number | undefined)[],
  act: () => Promise<void>,
): Promise<void> {
  for (const [index, count] of clients.entries()) {
    await Promise.all(Array.from({ length: count }, act));
    const [started, used] = [performance.now(), processorTime(pid)];
    let done = 0;
    const one = async () => {
      while (performance.now() - started < span) {
        await act();
        done++;
      }
    };
    await Promise.all(Array.from({ length: count }, one));
    const seconds = (performance.now() - started) / 1_000;
    const peer = peers[index];
    const figure = { work: `${work}, ${count} at a time`, value: done / seconds, unit: "a second" };
    report(peer === undefined ? figure : { ...figure, original: peer });
    report({ work: "  processor time each", value: (processorTime(pid) - used) / done, unit: "ms" });
  }
}

async function post(url: string, body: string, keepalive: boolean): Promise<Record<string, unknown>> {
  const headers = { "Content-Type": "application/json", ...(keepalive ? {} : { Connection: "close" }) };
  const response = await fetch(url, { method: "POST", headers, body, tls, keepalive });
  return (await response.json()) as Record<string, unknown>;
}

function loginAct(url: string, keepalive: boolean) {
  const key = generateKey();
  return async () => {
    const timestamp = String(Math.floor(Date.now() / 1_000));
    const signature = key.sign(encodeUtf8(`${timestamp}:choria:secret`)).toHex();
    const body = { username: "choria", password: "secret", timestamp, signature, public_key: key.publicKey };
    const answer = await post(`${url}/choria/v1/login`, JSON.stringify(body), keepalive);
    if (answer.token === undefined) throw new Error(JSON.stringify(answer));
  };
}

function newCall(): Uint8Array {
  const message = encodeRpcRequest({ agent: "rpcutil", action: "ping", data: {} });
  const filter = { ...emptyFilter(), agent: ["rpcutil"] };
  const base = { sender: "client", caller, collective: "choria", agent: "rpcutil", ttl: 60, filter };
  return encodeRequest(newRequest({ ...base, message }));
}

function signAct(url: string, member: LoggedIn, keepalive: boolean) {
  return async () => {
    const request = newCall();
    const signature = member.key.sign(request).toHex();
    const body = JSON.stringify({ token: member.token, request: encodeBase64(request), signature });
    const answer = await post(`${url}/choria/v1/sign`, body, keepalive);
    if (answer.secure_request === undefined) throw new Error(JSON.stringify(answer));
  };
}

function serviceAct(connection: Connection, member: LoggedIn) {
  const prefix = subjects.inbox("choria", caller);
  const waiting = new Map<string, (data: Uint8Array) => void>();
  connection.subscribe(`${prefix}.>`, (message) => {
    waiting.get(message.subject)?.(message.data);
    waiting.delete(message.subject);
  });
  return async () => {
    const bytes = newCall();
    const data = {
      request: Buffer.from(bytes).toString(),
      token: member.token,
      signature: member.key.sign(bytes).toHex(),
    };
    const message = encodeRpcRequest({ agent: "aaa_signer", action: "sign", data });
    const base = { sender: "client", caller, collective: "choria", agent: "aaa_signer", ttl: 60 };
    const request = newRequest({ ...base, message, filter: emptyFilter() });
    const reply = `${prefix}.${request.id}`;
    const secure = { request: encodeRequest(request), signature: insecureSignature, caller: member.token };
    const answered = new Promise<Uint8Array>((resolve) => waiting.set(reply, resolve));
    const transport = encodeTransport({ data: encodeSecureRequest(secure), sender: "client", reply });
    connection.publish(subjects.service("choria", "aaa_signer"), transport);
    const received = decodeSecureReply(decodeTransport(await answered).data);
    const { statuscode, statusmsg } = decodeRpcReply(decodeReply(received.reply).message);
    if (statuscode !== 0) throw new Error(statusmsg);
  };
}

async function memory(work: string, pid: number, peer: number): Promise<void> {
  const { resident, private: own } = await memoryOf(pid);
  report({ work: `memory ${work}`, value: resident, unit: "MB", original: peer });
  report({ work: "  of it private", value: own, unit: "MB" });
}

async function overHttp(set: Installation, flags: string[], kind: "HTTPS" | "plain HTTP"): Promise<void> {
  const child = startService(set, ...flags);
  try {
    await waitFor("the service", () => canConnect(set.config.port));
    const url = `${kind === "HTTPS" ? "https" : "http"}://127.0.0.1:${set.config.port}`;
    const [login, sign] =
      kind === "HTTPS" ? [original.login, original.sign] : [original.loginPlain, original.signPlain];
    if (kind === "HTTPS") await memory("idle", child.pid, 36);
    const member = await logIn(url, "choria", "secret", tls);
    await measure(`logins over ${kind}, new connections`, child.pid, login, loginAct(url, false));
    await measure(`logins over ${kind}, kept connections`, child.pid, login, loginAct(url, true));
    await measure(`signatures over ${kind}, new connections`, child.pid, sign, signAct(url, member, false));
    await measure(`signatures over ${kind}, kept connections`, child.pid, sign, signAct(url, member, true));
    if (kind === "HTTPS") await memory("after all that", child.pid, 57);
  } finally {
    child.kill("SIGTERM");
    await child.exited;
  }
}

async function overNetwork(): Promise<void> {
  const organization = new TestOrganization();
  await using broker = await startTestBroker({ organization });
  using set = await install({ broker: broker.address, organization, cost });
  const child = startService(set);
  try {
    await waitFor("the service", () => canConnect(set.config.port));
    const member = await logIn(`https://127.0.0.1:${set.config.port}`, "choria", "secret", tls);
    const login = () => ({ token: member.token, key: member.key });
    const inboxPrefix = subjects.inbox("choria", caller);
    await using connection = await connectBroker({
      servers: [broker.address],
      name: caller,
      login,
      inboxPrefix,
      logger: silentLogger,
    });
    const log = () => readFileSync(set.file("aaa.log"), "utf8");
    await waitFor("the service on the network", () => log().includes("Hosting the service"));
    const act = serviceAct(connection, member);
    await measure("signatures through the service", child.pid, original.service, act);
  } finally {
    child.kill("SIGTERM");
    await child.exited;
  }
}

{
  using set = await install({ cost });
  await overHttp(set, [], "HTTPS");
  await overHttp(set, ["--disable-tls"], "plain HTTP");
}
await overNetwork();
