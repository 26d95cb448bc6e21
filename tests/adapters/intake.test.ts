import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Intake, replyIntake, requestIntake } from "../../lib/adapters/mod.ts";
import { insecureSignature } from "../../lib/protocol/mod.ts";
import { decodeUtf8, systemClock } from "../../lib/std/mod.ts";
import { FakeClock } from "../support/clock.ts";
import { TestOrganization } from "../support/organization.ts";
import { hello, registration, reply, request, signedBy, strangerKey } from "./_messages.ts";

const organization = new TestOrganization();
const trust = { issuers: organization.issuers };
const n1 = await organization.server({ identity: "n1.test", collectives: ["choria"] });
const client = await organization.client({ callerid: "up=bob", permissions: { fleet_management: true } });
const options = { trust, clock: systemClock };

async function refusalOf(intake: Intake, bytes: Uint8Array): Promise<string> {
  try {
    const { sender } = await intake(bytes);
    return `taken from ${sender}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

describe("requests", () => {
  test("of a server are taken in its name", async () => {
    const taken = await requestIntake(options)(registration("n1.test", signedBy(n1)));
    expect(taken.sender).toBe("n1.test");
    expect(decodeUtf8(taken.body)).toBe(decodeUtf8(hello));
    expect(taken.requestId).toMatch(/^[0-9A-Za-z]{27}$/);
  });

  test("are taken once", async () => {
    const intake = requestIntake(options);
    const bytes = registration("n1.test", signedBy(n1));
    expect(await refusalOf(intake, bytes)).toBe("taken from n1.test");
    expect(await refusalOf(intake, bytes)).toContain("it was received before");
  });

  test("are taken while they are valid", async () => {
    const clock = new FakeClock(Date.now());
    const intake = requestIntake({ trust, clock });
    const bytes = registration("n1.test", signedBy(n1));
    await clock.advance(61_000);
    expect(await refusalOf(intake, bytes)).toContain("it is too old, or clocks differ");
  });

  test("that another node signed, nobody signed, or a stranger signed are not taken", async () => {
    const intake = requestIntake(options);
    expect(await refusalOf(intake, registration("n2.test", signedBy(n1)))).toContain("its sender is not the holder");
    const insecure = (bytes: Uint8Array) => ({ request: bytes, signature: insecureSignature, caller: n1.token });
    expect(await refusalOf(intake, registration("n1.test", insecure))).toContain("invalid request signature");
    const stranger = { ...n1, key: strangerKey };
    expect(await refusalOf(intake, registration("n1.test", signedBy(stranger)))).toContain("invalid request signature");
    const others = await new TestOrganization().server({ identity: "n1.test", collectives: ["choria"] });
    expect(await refusalOf(intake, registration("n1.test", signedBy(others)))).not.toContain("taken");
    const expired = await organization.server(
      { identity: "n1.test", collectives: ["choria"] },
      { now: Date.now() - 7_200_000, validity: 3_600_000 },
    );
    expect(await refusalOf(intake, registration("n1.test", signedBy(expired)))).toContain("expired");
  });

  test("that a server has somebody else sign are not taken", async () => {
    const intake = requestIntake(options);
    const secure = (bytes: Uint8Array) => ({ ...signedBy(n1)(bytes), signer: client.token });
    expect(await refusalOf(intake, registration("n1.test", secure))).toContain("nobody signs for a server");
  });

  test("of clients are taken where that is allowed, and they may call", async () => {
    const bytes = () => request(client, { sender: "desk", caller: "up=bob" });
    expect(await refusalOf(requestIntake(options), bytes())).not.toContain("taken");
    const open = requestIntake({ ...options, clients: true });
    expect(await refusalOf(open, bytes())).toBe("taken from desk");
    expect(await refusalOf(open, registration("n1.test", signedBy(n1)))).toBe("taken from n1.test");
    const powerless = await organization.client({ callerid: "up=eve", permissions: {} });
    expect(await refusalOf(open, request(powerless, { sender: "desk", caller: "up=eve" }))).toContain("fleet");
  });

  test("are taken as they are where nobody is to check them", async () => {
    const intake = requestIntake({ ...options, acceptUnverified: true });
    expect(await refusalOf(intake, registration("n2.test", signedBy({ ...n1, key: strangerKey })))).toBe(
      "taken from n2.test",
    );
  });

  test("with ids that nobody would make are not taken", async () => {
    const intake = requestIntake(options);
    for (const id of ["x".repeat(129), "a\r\nNats-Rollup: all", "a b"]) {
      const bytes = request(n1, { sender: "n1.test", caller: "n1.test", id });
      expect(await refusalOf(intake, bytes)).toContain("its request id");
    }
  });
});

describe("replies", () => {
  const now = () => BigInt(Date.now()) * 1_000_000n;

  test("are taken once of each server", async () => {
    const intake = replyIntake(options);
    const bytes = reply(n1, { sender: "n1.test", id: "r1", time: now() });
    expect(await refusalOf(intake, bytes)).toBe("taken from n1.test");
    expect(await refusalOf(intake, bytes)).toContain("it was received before");
    const n2 = await organization.server({ identity: "n2.test", collectives: ["choria"] });
    expect(await refusalOf(intake, reply(n2, { sender: "n2.test", id: "r1", time: now() }))).toBe("taken from n2.test");
  });

  test("that are unsigned, in another's name or old are not taken", async () => {
    const intake = replyIntake(options);
    const unsigned = reply(n1, { sender: "n1.test", id: "r1", time: now(), isSigned: false });
    expect(await refusalOf(intake, unsigned)).toContain("it is not signed");
    const foreign = reply(n1, { sender: "n2.test", id: "r1", time: now() });
    expect(await refusalOf(intake, foreign)).toContain("not the holder");
    const old = reply(n1, { sender: "n1.test", id: "r1", time: now() - 600_000_000_000n });
    expect(await refusalOf(intake, old)).toContain("too old");
    expect(await refusalOf(replyIntake({ ...options, acceptUnverified: true }), unsigned)).toBe("taken from n1.test");
  });
});

test("bytes of strangers are refused, whatever they are", async () => {
  const good = registration("n1.test", signedBy(n1));
  const intakes = [requestIntake(options), replyIntake(options)];
  const damaged = fc
    .tuple(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }))
    .map(([at, by]) => good.map((byte, index) => (index === at ? byte ^ by : byte)));
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.uint8Array(), damaged), async (bytes) => {
      for (const intake of intakes) {
        const result = await refusalOf(intake, bytes);
        // Headers are not signed, so that some damage does no harm.
        if (result.startsWith("taken")) expect(result).toBe("taken from n1.test");
      }
    }),
  );
});
