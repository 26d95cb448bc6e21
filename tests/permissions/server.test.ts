import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isSubject, type Permissions, serverPermissions, unprovisionedPermissions } from "../../lib/permissions/mod.ts";
import type { ServerClaims } from "../../lib/tokens/mod.ts";
import { identity, serverRows, unprovisionedRow } from "./_tables.ts";

const claims = (extra: Partial<ServerClaims>): ServerClaims => ({
  purpose: "choria_server",
  identity,
  collectives: ["choria"],
  ou: "choria",
  ...extra,
});
const nothing: Permissions = {
  account: "choria",
  publish: { allow: [], deny: [">"] },
  subscribe: { allow: [], deny: [">"] },
  dropped: [],
};

describe("a server may do exactly what its permissions say", () => {
  test.each(serverRows.map((row) => [row.name, row] as const))("%s", (_name, row) => {
    const granted = serverPermissions(claims(row.claims));
    expect(granted.account).toBe("choria");
    expect(granted.publish?.allow.toSorted()).toEqual(row.publish.toSorted());
    expect(granted.subscribe?.allow.toSorted()).toEqual(row.subscribe.toSorted());
    expect([granted.publish?.deny, granted.subscribe?.deny, granted.dropped]).toEqual([[], [], []]);
  });
});

test("a server of another organization reaches streams by the older prefix", () => {
  const granted = serverPermissions(claims({ ou: "acme", permissions: { streams: true } }));
  expect(granted.publish?.allow).toContain("choria.streams.STREAM.INFO.*");
  expect(granted.publish?.allow).not.toContain("$JS.API.STREAM.INFO.*");
  expect(granted.subscribe?.allow).toContain("acme.republish.>");
});

test("a server of no collective may do nothing", () => {
  expect(serverPermissions(claims({ collectives: [], permissions: { streams: true } }))).toEqual({ ...nothing });
});

test("servers may do nothing where the broker denies them", () => {
  expect(serverPermissions(claims({}), { denyConnections: true })).toEqual({ ...nothing });
});

test("a server that is not provisioned speaks to its provisioner only", () => {
  const granted = unprovisionedPermissions();
  expect(granted.account).toBe("provisioning");
  expect(granted.publish?.allow).toEqual(unprovisionedRow.publish);
  expect(granted.subscribe?.allow).toEqual(unprovisionedRow.subscribe);
});

test.each(["*", ">", "a.*", "a b", "a..b", "", "node\n"])("the identity %j opens nobody's subject", (bad) => {
  const granted = serverPermissions(claims({ identity: bad }));
  expect(granted.subscribe?.allow.filter((subject) => subject.includes(".node."))).toEqual([]);
  expect(granted.dropped).toHaveLength(1);
});

test("the collective * opens no other collective", () => {
  const granted = serverPermissions(claims({ collectives: ["*", "choria"] }));
  expect(granted.subscribe?.allow.some((subject) => subject.startsWith("*"))).toBe(false);
  expect(granted.subscribe?.allow).toContain("choria.broadcast.agent.>");
});

test("collectives that are all patterns leave a server without a single subject to hear", () => {
  const granted = serverPermissions(claims({ collectives: ["*", ">"] }));
  expect(granted.subscribe).toEqual({ allow: [], deny: [">"] });
});

test("whatever a token says, nothing but subjects comes out", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }),
      fc.array(fc.string({ unit: "binary" })),
      fc.array(fc.oneof(fc.string(), fc.constantFrom("a.>", "*.b", "a..b"))),
      (name, collectives, pub_subjects) => {
        const granted = serverPermissions(claims({ identity: name, collectives, pub_subjects }));
        const subjects = [...(granted.publish?.allow ?? []), ...(granted.subscribe?.allow ?? [])];
        return subjects.every(isSubject);
      },
    ),
    { numRuns: 500 },
  );
});
