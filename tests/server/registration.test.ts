import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { connectBroker } from "../../lib/connector/mod.ts";
import { verifySignature } from "../../lib/crypto/mod.ts";
import { decodeRequest, decodeSecureRequest, decodeTransport, type Request } from "../../lib/protocol/mod.ts";
import { decodeProvisioningToken, provisioningConfig, startServer } from "../../lib/server/mod.ts";
import { decodeUtf8, isObject, type JsonObject, parseObject, silentLogger, systemClock } from "../../lib/std/mod.ts";
import { Spool } from "../../lib/submission/mod.ts";
import { decodeTokenUnverified, issueProvisioningToken, keySigner } from "../../lib/tokens/mod.ts";
import { startTestBroker, type TestBroker } from "../support/broker.ts";
import { temporaryFolder } from "../support/folder.ts";
import { RecordingLogger } from "../support/log.ts";
import { type Member, TestOrganization } from "../support/organization.ts";
import { waitFor } from "../support/wait.ts";
import { type Network, serverSettings, startTestServer, TestClient } from "./support/server.ts";

const organization = new TestOrganization();
const folder = temporaryFolder();
let broker: TestBroker;
let network: Network;
let client: TestClient;

beforeAll(async () => {
  broker = await startTestBroker({ organization });
  network = { address: broker.address, organization, file: folder.file };
  const member: Member = await organization.client({
    callerid: "up=bob",
    permissions: { fleet_management: true },
    sub_subjects: ["choria.broadcast.agent.registration", "choria.submission.in.>", "inventory.>"],
  });
  client = await TestClient.connect(network, member);
});

afterAll(async () => {
  await client?.connection.close();
  await broker?.stop();
  folder[Symbol.dispose]();
});

interface Registration {
  subject: string;
  request: Request;
  document: JsonObject;
  /** Claims of the caller's token, if the request is signed by its holder. */
  holder: unknown;
}

function decode(subject: string, data: Uint8Array): Registration {
  const secure = decodeSecureRequest(decodeTransport(data).data);
  const request = decodeRequest(secure.request);
  const claims = decodeTokenUnverified(secure.caller);
  const isSigned = verifySignature(claims.public_key ?? "", secure.request, secure.signature);
  return { subject, request, document: parseObject(request.message), holder: isSigned ? claims : undefined };
}

describe("a server that registers", () => {
  test("publishes its inventory, signed by itself, to the agent registration", async () => {
    const found: Registration[] = [];
    client.connection.subscribe("choria.broadcast.agent.registration", ({ subject, data }) => {
      found.push(decode(subject, data));
    });
    await client.connection.flush();
    writeFileSync(folder.file("facts.json"), '{"country":"mt"}');
    await using _server = await startTestServer(network, "reg.example.net", {
      registration: "inventory_content",
      registration_splay: "0",
      "plugin.yaml": folder.file("facts.json"),
    });
    const registration = await waitFor("the registration", () => found[0]);
    expect(registration.request).toMatchObject({
      agent: "registration",
      caller: "reg.example.net",
      sender: "reg.example.net",
      collective: "choria",
    });
    expect(registration.holder).toMatchObject({ identity: "reg.example.net" });
    const content = parseObject(gunzipSync(Buffer.from(String(registration.document.zcontent), "base64")));
    expect(content).toMatchObject({ facts: { country: "mt" }, collectives: ["choria"], machines: [] });
    expect(content.status).toMatchObject({ identity: "reg.example.net", provisioning_mode: false });
    const agents = Array.isArray(content.agents) ? content.agents : [];
    expect(agents.map((agent) => (isObject(agent) ? agent.name : agent))).toEqual([
      "choria_util",
      "discovery",
      "rpcutil",
    ]);
  });

  test("publishes to a target of its own with each provider, and refuses those that it does not know", async () => {
    const subjects = new Set<string>();
    client.connection.subscribe("inventory.>", ({ subject, data }) => {
      expect(decode(subject, data).request.agent).toBe("registration");
      subjects.add(subject);
    });
    await client.connection.flush();
    const logger = new RecordingLogger();
    const member = await organization.server({
      identity: "two.example.net",
      collectives: ["choria"],
      pub_subjects: ["inventory.>"],
    });
    const { tokenFile, seedFile } = member.save(folder.file("two"));
    await using _server = await startTestServer(
      network,
      "two.example.net",
      {
        "plugin.security.choria.token_file": tokenFile,
        "plugin.security.choria.seed_file": seedFile,
        registration: "inventory_content, file_content, nonsense",
        registration_splay: "0",
        "plugin.choria.registration.inventory_content.target": "inventory.all",
        "plugin.choria.registration.file_content.target": "inventory.file",
        "plugin.choria.registration.file_content.data": folder.file("facts.json"),
      },
      { logger },
    );
    await waitFor("both", () => subjects.size === 2);
    expect(logger.lines).toContainEqual(
      expect.objectContaining({ message: "There is no such registration provider", level: "error" }),
    );
  });
});

describe("a node that is being provisioned", () => {
  test("publishes the file that its token names, with that token as the caller", async () => {
    const data = folder.file("node.json");
    writeFileSync(data, '{"serial":"x1"}');
    const claims = { cht: "s3cret", chs: false, chu: broker.url, chpd: true, chrd: data, extensions: null, v2: true };
    const now = organization.now;
    const token = await issueProvisioningToken(claims, {
      signer: keySigner(organization.issuer),
      now,
      validity: 3_600_000,
    });
    const tokenFile = folder.file("provisioning.jwt");
    writeFileSync(tokenFile, token);
    const provisioner = await organization.client({
      callerid: "provisioner_signer",
      permissions: { provisioner: true },
    });
    await using listener = await connectBroker({
      servers: [broker.address],
      name: "provisioner",
      login: () => ({ token: provisioner.token, key: provisioner.key, user: "provisioner", password: "s3cret" }),
      inboxPrefix: "provisioning.reply",
      logger: silentLogger,
    });
    const found: Uint8Array[] = [];
    listener.subscribe("provisioning.registration.>", ({ data: bytes }) => {
      found.push(bytes);
    });
    await listener.flush();
    const settings = decodeProvisioningToken(token, tokenFile);
    const config = provisioningConfig(settings, { configFile: folder.file("new.conf"), identity: "new.example.net" });
    await using _node = await startServer({ config, logger: silentLogger, provisioning: settings });
    const bytes = await waitFor("the registration", () => found[0]);
    const secure = decodeSecureRequest(decodeTransport(bytes).data);
    expect({ caller: secure.caller, signature: decodeUtf8(secure.signature) }).toEqual({
      caller: token.trim(),
      signature: "insecure",
    });
    const request = decodeRequest(secure.request);
    expect(request).toMatchObject({ caller: "new.example.net", collective: "provisioning", agent: "registration" });
    expect(parseObject(request.message)).toMatchObject({ file: data, protocol: "choria:registration:filecontent:1" });
  });
});

describe("a server with a submission spool", () => {
  test("sends on what is submitted, where its token permits it", async () => {
    const texts: string[] = [];
    client.connection.subscribe("choria.submission.in.>", ({ subject, headers }) => {
      texts.push(`${subject} ${headers?.get("Choria-Token") === "" ? "unsigned" : "signed"}`);
    });
    await client.connection.flush();
    const member = await organization.server({
      identity: "sub.example.net",
      collectives: ["choria"],
      permissions: { submission: true },
    });
    const { tokenFile, seedFile } = member.save(folder.file("sub"));
    mkdirSync(folder.file("spool"));
    const settings = {
      "plugin.security.choria.token_file": tokenFile,
      "plugin.security.choria.seed_file": seedFile,
      "plugin.choria.submission.spool": folder.file("spool"),
    };
    await using _server = await startTestServer(network, "sub.example.net", settings);
    const spool = new Spool({ folder: folder.file("spool"), maxSize: 10, clock: systemClock });
    const message = { payload: Buffer.from("x"), sender: "test", identity: "here" };
    spool.submit({ ...message, subject: "plain.one" });
    spool.submit({ ...message, subject: "signed.one", sign: true });
    await waitFor("both messages", () => texts.length === 2);
    expect(texts).toEqual(["choria.submission.in.plain.one unsigned", "choria.submission.in.signed.one signed"]);
  });

  test("leaves the spool alone, and says so, where its token does not permit it", async () => {
    const logger = new RecordingLogger();
    const settings = { "plugin.choria.submission.spool": folder.file("other") };
    expect(await serverSettings(network, "not.example.net", settings)).toMatchObject(settings);
    await using _server = await startTestServer(network, "not.example.net", settings, { logger });
    expect(logger.messages).toContain("Messages are not submitted: the server's token lacks the permission submission");
  });

  test("serves although the spool cannot be made", async () => {
    const logger = new RecordingLogger();
    writeFileSync(folder.file("a-file"), "");
    const member = await organization.server({
      identity: "bad.example.net",
      collectives: ["choria"],
      permissions: { submission: true },
    });
    const { tokenFile, seedFile } = member.save(folder.file("bad"));
    await using server = await startTestServer(
      network,
      "bad.example.net",
      {
        "plugin.security.choria.token_file": tokenFile,
        "plugin.security.choria.seed_file": seedFile,
        "plugin.choria.submission.spool": folder.file("a-file/spool"),
      },
      { logger },
    );
    expect(server.connection.server).not.toBe("");
    expect(logger.messages).toContain("Messages are not submitted: the spool cannot be used");
  });
});
