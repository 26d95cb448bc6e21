import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { encodeBase64Url } from "../../lib/crypto/mod.ts";
import { encodeUtf8, type JsonObject } from "../../lib/std/mod.ts";
import { callerid, clientRows, identity, type Row, serverRows, unprovisionedRow } from "../permissions/_tables.ts";
import { startTestBroker, type TestBroker } from "../support/broker.ts";
import { type Member, TestOrganization } from "../support/organization.ts";
import { RawNats } from "../support/raw_nats.ts";

const organization = new TestOrganization();
let broker: TestBroker;

beforeAll(async () => {
  broker = await startTestBroker({ organization });
});

afterAll(() => broker?.stop());

const rows = [...clientRows, ...serverRows, unprovisionedRow];
/** Every subject of every row, and some of nobody's. */
const everything = [
  ...new Set([
    ...rows.flatMap(({ publish, subscribe }) => [...publish, ...subscribe]),
    "$JS.API.STREAM.CREATE.*",
    "$JS.API.STREAM.DELETE.*",
    "$SYS.>",
    "$SYS.REQ.USER.AUTH",
    "_INBOX.>",
    "choria.node.other.example.net",
    "choria.reply.00000000000000000000000000000000.>",
    "choria.streams.STREAM.INFO.*",
    "provisioning.node.*",
    "something.else",
  ]),
];

/** A subject that a pattern matches. */
const example = (pattern: string) => pattern.replaceAll("*", "x").replace(/>$/, "x.y");

/** Whether a pattern, or a list of them, covers a subject or another pattern. */
function covers(pattern: string, subject: string): boolean {
  const tokens = subject.split(".");
  const parts = pattern.split(".");
  for (const [index, part] of parts.entries()) {
    if (part === ">") return tokens.length > index;
    const token = tokens[index];
    if (token === undefined || token === ">" || (part !== "*" && part !== token)) return false;
  }
  return parts.length === tokens.length;
}

/** Publish to and subscribe to everything in one go; gives what was refused. */
async function refusals(peer: RawNats): Promise<{ publish: Set<string>; subscribe: Set<string> }> {
  const publish = everything.map((pattern) => `PUB ${example(pattern).split(" ")[0]} 0\r\n`);
  const subscribe = everything.map((pattern, index) => `SUB ${pattern} ${index + 1}`);
  const lines = await peer.ask([...publish, ...subscribe].join("\r\n"));
  const refused = (what: string) =>
    new Set(
      lines.flatMap((line) => {
        const match = new RegExp(`^-ERR 'Permissions Violation for ${what} to "([^"]+)"`).exec(line);
        return match?.[1] === undefined ? [] : [match[1]];
      }),
    );
  expect(lines.at(-1)).toBe("PONG");
  return { publish: refused("Publish"), subscribe: refused("Subscription") };
}

async function check(row: Row<unknown>, login: (nonce: string) => JsonObject): Promise<void> {
  using peer = await RawNats.open(broker.port);
  expect(await peer.connect(login(peer.nonce))).toEqual(["PONG"]);
  const refused = await refusals(peer);
  for (const pattern of everything) {
    const [subject = "", queue] = pattern.split(" ");
    const mayPublish = row.publish.some((allowed) => covers(allowed, example(subject)));
    const maySubscribe = row.subscribe.some((allowed) => {
      const [allowedSubject = "", allowedQueue] = allowed.split(" ");
      return covers(allowedSubject, subject) && (allowedQueue === undefined || allowedQueue === queue);
    });
    expect([subject, "publish", !refused.publish.has(example(subject))]).toEqual([subject, "publish", mayPublish]);
    expect([pattern, "subscribe", !refused.subscribe.has(subject)]).toEqual([pattern, "subscribe", maySubscribe]);
  }
}

function signed({ token, key }: Member) {
  return (nonce: string) => ({ auth_token: token, sig: encodeBase64Url(key.sign(encodeUtf8(nonce))) });
}

describe("the broker allows a client exactly what its token says", () => {
  test.each(clientRows.map((row) => [row.name, row] as const))("%s", async (_name, row) => {
    await check(row, signed(await organization.client({ callerid, ...row.claims })));
  });
});

describe("the broker allows a server exactly what its token says", () => {
  test.each(serverRows.map((row) => [row.name, row] as const))("%s", async (_name, row) => {
    await check(row, signed(await organization.server({ identity, ...row.claims })));
  });

  test("of no collective", async () => {
    const server = await organization.server({ identity, collectives: [] });
    await check({ name: "", claims: undefined, publish: [], subscribe: [] }, signed(server));
  });
});

test("the broker allows a server that is not provisioned exactly what provisioning needs", async () => {
  const token = await organization.provisioning([broker.url]);
  await check(unprovisionedRow, () => ({ auth_token: token }));
});

test("a token with subjects that are none still logs in, without them", async () => {
  const client = await organization.client({ callerid, pub_subjects: ["a b", "a..b", "good"], sub_subjects: ["a. b"] });
  await check(
    {
      name: "",
      claims: undefined,
      publish: [...(clientRows[0]?.publish ?? []), "good"],
      subscribe: clientRows[0]?.subscribe ?? [],
    },
    signed(client),
  );
});

test("the provisioner may do everything in account provisioning and reaches nothing of account choria", async () => {
  const member = await organization.client({ callerid: "provisioner_signer", permissions: { provisioner: true } });
  const admin = await organization.client({ callerid: "up=admin", permissions: { org_admin: true } });
  using provisioner = await RawNats.open(broker.port);
  using administrator = await RawNats.open(broker.port);
  await provisioner.connect({ user: "provisioner", pass: "s3cret", ...signed(member)(provisioner.nonce) });
  await administrator.connect(signed(admin)(administrator.nonce));
  expect(await administrator.ask("SUB crossing 1")).toEqual(["PONG"]);
  expect(await provisioner.ask("SUB > 1\r\nPUB crossing 1\r\nx")).toEqual(["MSG crossing 1 1", "x", "PONG"]);
  expect(await administrator.ask("PUB other 0\r\n")).toEqual(["PONG"]);
  expect(await provisioner.ask("")).toEqual(["PONG"]);
});

test("events of a server that is being provisioned reach account choria", async () => {
  const viewer = await organization.client({ callerid, permissions: { events_viewer: true } });
  const token = await organization.provisioning([broker.url]);
  using watching = await RawNats.open(broker.port);
  using node = await RawNats.open(broker.port);
  await watching.connect(signed(viewer)(watching.nonce));
  await watching.ask("SUB choria.lifecycle.event.> 1");
  await node.connect({ auth_token: token });
  await node.ask("PUB choria.lifecycle.event.startup.provision_mode_server 2\r\n{}");
  const [line] = await watching.expect(/^MSG /);
  expect(line).toBe("MSG choria.lifecycle.event.startup.provision_mode_server 1 2");
});

test("the system user sees the system account", async () => {
  const admin = await organization.client({ callerid: "up=admin", permissions: { system_user: true } });
  using system = await RawNats.open(broker.port);
  await system.connect({ user: "system", pass: "system", ...signed(admin)(system.nonce) });
  await system.ask("SUB answer 1");
  const lines = await system
    .ask("PUB $SYS.REQ.SERVER.PING answer 0\r\n")
    .then(async (first) => [...first, ...(await system.expect(/"server_name"|"name":"broker.test"/))]);
  expect(lines.some((line) => line.startsWith("MSG answer"))).toBe(true);
});
