import { describe, expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { type AaaHandle, startAaa } from "../../lib/aaa/mod.ts";
import { selfSignedCertificate } from "../../lib/crypto/mod.ts";
import { decodeEvent, eventSubject } from "../../lib/lifecycle/mod.ts";
import {
  decodeReply,
  decodeRpcReply,
  decodeSecureRequest,
  encodeRequest,
  type Request,
} from "../../lib/protocol/mod.ts";
import { httpSigner, ReplyVerifier, RequestVerifier, signRequest } from "../../lib/security/mod.ts";
import { silentLogger, systemClock } from "../../lib/std/mod.ts";
import { TokenVerifier } from "../../lib/tokens/mod.ts";
import { startTestBroker } from "../support/broker.ts";
import { RecordingLogger } from "../support/log.ts";
import { TestOrganization } from "../support/organization.ts";
import { waitFor } from "../support/wait.ts";
import { callSigner, connectAs, credentialsOf, requestFor } from "./_call.ts";
import { type Installation, install, logIn } from "./_installation.ts";

const insecure = { rejectUnauthorized: false };

function start(set: Installation, more: { disableTls?: boolean; logger?: RecordingLogger } = {}): Promise<AaaHandle> {
  return startAaa({ config: set.config, choria: set.choria, logger: silentLogger, ...more });
}

describe("startAaa() over HTTPS", () => {
  test("logs a user in and signs what servers then believe", async () => {
    using set = await install();
    await using aaa = await start(set);
    const admin = await logIn(aaa.url ?? "", "admin", "secret", { ca: set.certificate });
    const remote = httpSigner({ url: `${aaa.url}/choria/v1/sign`, ca: set.certificate });

    const request = requestFor("rpcutil", "ping");
    const secure = await signRequest(encodeRequest(request), request, credentialsOf(admin), remote);

    const servers = new RequestVerifier({ issuers: set.organization.issuers }, new TokenVerifier(systemClock));
    const verified = await servers.verify(secure);
    expect(verified.request).toEqual({ ...request, caller: "up=admin" });
    expect(verified.caller.callerid).toBe("up=admin");
    expect(verified.signer?.callerid).toBe("aaa_request_signer");
  });

  test("tells a caller why the policy refused", async () => {
    using set = await install();
    await using aaa = await start(set);
    const member = await logIn(aaa.url ?? "", "choria", "secret", insecure);
    const remote = httpSigner({ url: `${aaa.url}/choria/v1/sign` });
    const request = requestFor("choria_provision", "restart");
    const signing = signRequest(encodeRequest(request), request, credentialsOf(member), remote);
    expect(signing).rejects.toThrow(/^error from remote signer: Request denied: .*choria_provision\.restart/);
    expect(logIn(aaa.url ?? "", "choria", "wrong", insecure)).rejects.toThrow('{"error":"Login failed"}');
  });

  test("keeps connections open for the next request", async () => {
    using set = await install();
    await using aaa = await start(set);
    const response = await fetch(`${aaa.url}/swagger.json`, { tls: insecure });
    expect(response.headers.get("connection")).not.toBe("close");
  });

  test("records each decision in a file that only its owner can read", async () => {
    using set = await install();
    await using aaa = await start(set);
    const member = await logIn(aaa.url ?? "", "choria", "secret", insecure);
    const remote = httpSigner({ url: `${aaa.url}/choria/v1/sign` });
    for (const agent of ["rpcutil", "choria_provision"]) {
      const request = requestFor(agent, "x");
      await signRequest(encodeRequest(request), request, credentialsOf(member), remote).catch(() => undefined);
    }
    const lines = readFileSync(set.file("audit.json"), "utf8").trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { action: "allow", auditor: "logfile", caller: "up=choria", site: "compose" },
      { action: "deny", auditor: "logfile", caller: "up=choria", site: "compose" },
    ]);
    expect(statSync(set.file("audit.json")).mode & 0o777).toBe(0o600);
  });

  test("wants a certificate of its callers where authorities are configured", async () => {
    using set = await install();
    const client = await selfSignedCertificate({ name: "client" });
    writeFileSync(set.file("ca.crt"), client.certificate);
    const tls = { certificate: set.file("tls.crt"), key: set.file("tls.key"), ca: set.file("ca.crt") };
    await using aaa = await startAaa({ config: { ...set.config, tls }, choria: set.choria, logger: silentLogger });
    const url = `${aaa.url}/swagger.json`;

    const mutual = { ...insecure, cert: client.certificate, key: client.privateKey };
    expect((await fetch(url, { tls: mutual })).status).toBe(200);
    expect(fetch(url, { tls: insecure, keepalive: false })).rejects.toThrow();
    const foreign = await selfSignedCertificate({ name: "client" });
    const wrong = { ...insecure, cert: foreign.certificate, key: foreign.privateKey };
    expect(fetch(url, { tls: wrong, keepalive: false })).rejects.toThrow();
  });

  test("serves plain HTTP when it is told to", async () => {
    using set = await install();
    await using aaa = await start(set, { disableTls: true });
    expect(aaa.url).toStartWith("http://127.0.0.1:");
    expect((await logIn(aaa.url ?? "", "streams")).token).toBeString();
  });
});

describe("startAaa() fails", () => {
  test("when its port is taken, and leaves nothing running", async () => {
    using set = await install();
    await using _first = await start(set);
    using other = await install({ changes: { port: set.config.port } });
    expect(start(other)).rejects.toThrow(`Cannot serve https on port ${set.config.port}: `);
    await waitFor("the metrics to be gone", () =>
      fetch(`http://127.0.0.1:${other.config.monitorPort}/metrics`).then(
        () => false,
        () => true,
      ),
    );
  });

  test.each([
    ["/tls_certificate: is required beside port", { tls_certificate: "", tls_key: "" }],
    ["/port: nothing is served: set it, or choria_service", { port: 0 }],
    ['Cannot read the private key "/nowhere.key": ENOENT', { tls_key: "/nowhere.key" }],
  ])("with %j", async (text, changes) => {
    using set = await install({ changes });
    expect(start(set)).rejects.toThrow(text);
  });

  test("without the key that tokens are verified with", async () => {
    using set = await install();
    writeFileSync(set.file("chain.public"), "no key");
    expect(start(set)).rejects.toThrow("/basicjwt_signer/signing_certificate: Cannot use the verification key file");
  });

  test("as a service without a server's token", async () => {
    using set = await install({ broker: "127.0.0.1:1" });
    writeFileSync(set.file("service.jwt"), readFileSync(set.file("reqsigner.jwt")));
    writeFileSync(set.file("service.seed"), readFileSync(set.file("reqsigner.seed")));
    expect(start(set)).rejects.toThrow("Cannot host the service aaa_signer: ");
  });
});

describe("the metrics", () => {
  test("have the names and labels of the original", async () => {
    using set = await install();
    await using aaa = await start(set);
    const read = async () => (await fetch(`${aaa.monitorUrl}/metrics`)).text();
    expect(await read()).toContain('choria_aaa_build_info{site="compose",version="0.1.0"} 0');

    const member = await logIn(aaa.url ?? "", "choria", "secret", insecure);
    await logIn(aaa.url ?? "", "choria", "wrong", insecure).catch(() => undefined);
    const remote = httpSigner({ url: `${aaa.url}/choria/v1/sign` });
    const ask = async (request: Request, by = member) =>
      signRequest(encodeRequest(request), request, credentialsOf(by), remote).catch(() => undefined);
    await ask(requestFor("rpcutil", "ping"));
    await ask(requestFor("choria_provision", "restart"));
    await ask(requestFor("discovery", "ping"));
    await ask(requestFor("rpcutil", "ping"), { ...member, token: member.token.replace(/.{4}$/, "AAAA") });

    const series = new Map(
      (await read())
        .split("\n")
        .filter((line) => line.startsWith("choria_aaa_"))
        .map((line) => [line.replace(/ \S+$/, ""), Number(line.split(" ").at(-1))]),
    );
    series.delete('choria_aaa_authenticator_time_sum{site="compose",authenticator="userlist"}');
    expect(Object.fromEntries(series)).toEqual({
      'choria_aaa_build_info{site="compose",version="0.1.0"}': 0,
      'choria_aaa_authenticator_errors{site="compose",authenticator="userlist"}': 1,
      'choria_aaa_authenticator_time_count{site="compose",authenticator="userlist"}': 2,
      'choria_aaa_authorizer_allowed{site="compose",authorizer="opa",action="rpcutil.ping"}': 1,
      'choria_aaa_authorizer_allowed{site="compose",authorizer="opa",action="discovery"}': 1,
      'choria_aaa_authorizer_denied{site="compose",authorizer="opa",action="choria_provision.restart"}': 1,
      'choria_aaa_signer_allowed{site="compose",signer="basicjwt"}': 2,
      'choria_aaa_signer_denied{site="compose",signer="basicjwt"}': 2,
      'choria_aaa_signer_errors{site="compose",signer="basicjwt"}': 2,
      'choria_aaa_signer_invalid_token{site="compose",signer="basicjwt"}': 1,
    });
  });

  test("tell of the process, too", async () => {
    using set = await install();
    await using aaa = await start(set);
    const text = await (await fetch(`${aaa.monitorUrl}/metrics`)).text();
    const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
    expect(value("process_resident_memory_bytes")).toBeGreaterThan(10_000_000);
    expect(value("process_cpu_seconds_total")).toBeGreaterThan(0);
    expect(Math.abs(value("process_start_time_seconds") * 1_000 - performance.timeOrigin)).toBeLessThan(1_000);
  });

  test("are all there is on their port", async () => {
    using set = await install();
    await using aaa = await start(set);
    expect((await fetch(`${aaa.monitorUrl}/`)).status).toBe(404);
  });

  test("do not grow with the names that callers make up", async () => {
    using set = await install();
    await using aaa = await start(set);
    const { prometheusMetrics } = await import("../../lib/aaa/prometheus.ts");
    const metrics = prometheusMetrics({ site: "x", version: "1", authorizer: "opa" });
    for (let count = 0; count < 3_000; count++) metrics.authorized(true, `agent.action${count}`);
    const lines = (await metrics.text())
      .split("\n")
      .filter((line) => line.startsWith("choria_aaa_authorizer_allowed{"));
    expect(lines).toHaveLength(1_001);
    expect(lines.find((line) => line.includes('action="other"'))).toEndWith(" 2000");
    expect(aaa.monitorUrl).toBeString();
  });
});

describe("the aaa_signer service on a real broker", () => {
  test("is announced, signs what servers believe, and refuses with the reason", async () => {
    const organization = new TestOrganization();
    await using broker = await startTestBroker({ organization });
    using set = await install({ broker: broker.address, organization });
    const watcher = await organization.client({ callerid: "up=watcher", permissions: { org_admin: true } });
    await using observer = await connectAs(watcher, "up=watcher", broker.address);
    const events: Uint8Array[] = [];
    observer.subscribe(eventSubject("startup"), (message) => void events.push(message.data));
    await observer.flush();

    await using aaa = await start(set);
    await aaa.ready;
    await waitFor("the start-up event", () => events.length > 0);
    expect(decodeEvent(events[0] ?? new Uint8Array())).toMatchObject({
      type: "startup",
      component: "service_host",
      identity: "aaa.choria.local",
      version: "0.1.0",
    });

    const member = await logIn(aaa.url ?? "", "choria", "secret", insecure);
    await using client = await connectAs(member, "up=choria", broker.address);
    const tokens = new TokenVerifier(systemClock);
    const replies = new ReplyVerifier({ issuers: organization.issuers }, tokens);
    const servers = new RequestVerifier({ issuers: organization.issuers }, tokens);

    const good = await callSigner(client, member, "up=choria", requestFor("rpcutil", "ping"));
    const signed = decodeRpcReply((await replies.verify(good.secureReply, good.id)).message);
    expect(signed).toMatchObject({ action: "sign", statuscode: 0, statusmsg: "OK" });
    const { secure_request } = signed.data as { secure_request: string };
    const secure = { ...decodeSecureRequest(Buffer.from(secure_request)), caller: member.token };
    expect((await servers.verify(secure)).request).toMatchObject({ caller: "up=choria", agent: "rpcutil" });

    const bad = await callSigner(client, member, "up=choria", requestFor("choria_provision", "restart"));
    const refused = decodeRpcReply((await replies.verify(bad.secureReply, bad.id)).message);
    expect(refused).toMatchObject({ statuscode: 1, data: { secure_request: "" } });
    expect(refused.statusmsg).toStartWith("Request Denied: the policy in the opa_policy claim does not allow ");

    const many = Array.from({ length: 200 }, () =>
      callSigner(client, member, "up=choria", requestFor("rpcutil", "ping")),
    );
    for (const { secureReply, id } of await Promise.all(many)) {
      expect(decodeRpcReply((await replies.verify(secureReply, id)).message).statuscode).toBe(0);
    }
  }, 30_000);

  test("is back as soon as a lost broker is", async () => {
    const organization = new TestOrganization();
    const broker = await startTestBroker({ organization });
    using set = await install({ broker: broker.address, organization });
    const logger = new RecordingLogger();
    await using aaa = await start(set, { logger });
    await aaa.ready;
    const member = await logIn(aaa.url ?? "", "admin", "secret", insecure);
    await broker.stop();
    await waitFor("the loss to be noticed", () => logger.messages.includes("Disconnected from the broker"));

    const settings = { "plugin.choria.network.client_port": String(broker.port) };
    await using again = await startTestBroker({ organization, settings });
    await waitFor("the service to be back", () => logger.messages.includes("Reconnected to the broker"), 20_000);
    await using client = await connectAs(member, "up=admin", again.address);
    const { secureReply } = await callSigner(client, member, "up=admin", requestFor("rpcutil", "ping"));
    expect(decodeRpcReply(decodeReply(secureReply.reply).message).statuscode).toBe(0);
  }, 40_000);

  test("comes to life when the broker does, while logins work already", async () => {
    using set = await install({ broker: "127.0.0.1:1" });
    const logger = new RecordingLogger();
    await using aaa = await start(set, { logger });
    expect((await logIn(aaa.url ?? "", "admin", "secret", insecure)).token).toBeString();
    await waitFor("a failed try", () =>
      logger.messages.some((text) => text.startsWith("Initial connection to the Broker failed")),
    );
  });
});

test("stop() may be called twice, and gives the ports back", async () => {
  using set = await install();
  const aaa = await start(set);
  await Promise.all([aaa.stop(), aaa.stop()]);
  await aaa.stop();
  await using again = await start(set);
  expect(again.url).toBe(aaa.url ?? "");
});
