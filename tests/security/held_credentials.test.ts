import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { HeldCredentials, type HeldOptions } from "../../lib/security/mod.ts";
import { requireServer } from "../../lib/server/profile.ts";
import { FakeClock } from "../support/clock.ts";
import { temporaryFolder } from "../support/folder.ts";
import { RecordingLogger } from "../support/log.ts";
import { TestOrganization } from "../support/organization.ts";

const clock = new FakeClock(Date.now());
const organization = new TestOrganization(clock.now());
const server = (identity: string, validity = 3_600_000) =>
  organization.server({ identity, collectives: ["choria"] }, { validity });

const ofN1: HeldOptions = { check: (found) => requireServer(found, "n1") };

test("a renewed token is picked up without asking", async () => {
  using folder = temporaryFolder();
  const [first, second] = [await server("n1"), await server("n1")];
  const held = new HeldCredentials(first.save(folder.file("n1")), clock, ofN1);
  expect(held.current().token).toBe(first.token);
  expect(held.current()).toBe(held.current());
  second.save(folder.file("n1"));
  expect(held.current().token).toBe(second.token);
});

test("a token is refused from the moment it expires", async () => {
  using folder = temporaryFolder();
  const member = await server("n1", 60_000);
  const later = new FakeClock(clock.now());
  const held = new HeldCredentials(member.save(folder.file("n1")), later, ofN1);
  expect(held.expires).toBeUndefined();
  held.current();
  expect(held.expires).toBe(Math.floor(clock.now() / 1_000) + 60);
  await later.advance(60_000);
  expect(() => held.current()).toThrow("is expired since");
  (await server("n1")).save(folder.file("n1"));
  expect(held.current().holder).toBe("n1");
});

test("another's token, a client's token and missing files are refused", async () => {
  using folder = temporaryFolder();
  const other = (await server("n2")).save(folder.file("n2"));
  expect(() => new HeldCredentials(other, clock, ofN1).current()).toThrow(
    "identity n1 does not match caller n2 in JWT token",
  );
  const client = (await organization.client({ callerid: "n1" })).save(folder.file("client"));
  expect(() => new HeldCredentials(client, clock, ofN1).current()).toThrow("not a server token");
  const files = { tokenFile: folder.file("none.jwt"), seedFile: folder.file("none.seed") };
  expect(() => new HeldCredentials(files, clock, ofN1).current()).toThrow("could not read token file");
});

test("files that go away, or become another's, leave the credentials that were read last, and the log says so once", async () => {
  using folder = temporaryFolder();
  const member = await server("n1");
  const files = member.save(folder.file("n1"));
  const logger = new RecordingLogger();
  const held = new HeldCredentials(files, clock, { ...ofN1, logger });
  held.current();
  rmSync(files.tokenFile);
  expect(held.current().token).toBe(member.token);
  expect(held.current().token).toBe(member.token);
  expect(logger.messages).toEqual(["The credentials stay as they were"]);
  expect(String(logger.lines[0]?.fields.reason)).toContain(files.tokenFile);
  (await server("n2")).save(folder.file("n1"));
  expect(held.current().token).toBe(member.token);
});
