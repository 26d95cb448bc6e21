import { describe, expect, test } from "bun:test";
import { clientPermissions } from "../../lib/permissions/mod.ts";
import type { ClientClaims } from "../../lib/tokens/mod.ts";
import { callerid, clientRows } from "./_tables.ts";

const claims = (extra: Partial<ClientClaims>): ClientClaims => ({
  purpose: "choria_client_id",
  callerid,
  ou: "choria",
  ...extra,
});

describe("a client may do exactly what its permissions say", () => {
  test.each(clientRows.map((row) => [row.name, row] as const))("%s", (_name, row) => {
    const granted = clientPermissions(claims(row.claims));
    expect(granted.account).toBe("choria");
    expect(granted.publish?.allow.toSorted()).toEqual(row.publish.toSorted());
    expect(granted.subscribe?.allow.toSorted()).toEqual(row.subscribe.toSorted());
    expect([granted.publish?.deny, granted.subscribe?.deny, granted.dropped]).toEqual([[], [], []]);
  });
});

test("an organization administrator may do everything in account choria, and its other claims are not looked at", () => {
  expect(
    clientPermissions(claims({ permissions: { org_admin: true, streams_user: true }, pub_subjects: ["a b"] })),
  ).toEqual({
    account: "choria",
    publish: { allow: [">"], deny: [] },
    subscribe: { allow: [">"], deny: [] },
    dropped: [],
  });
});

test("a subject that is none is left out and told, the others stay", () => {
  const bad = ["a b", "a..b", ".a", "a.", "", "a.>.b", "a\tb", "a\u0000b", "x".repeat(5_000)];
  const granted = clientPermissions(
    claims({ pub_subjects: ["good.one", ...bad], sub_subjects: ["good.two", "a b c"] }),
  );
  expect(granted.publish?.allow).toEqual(["$SYS.REQ.USER.INFO", "good.one"]);
  expect(granted.subscribe?.allow).toContain("good.two");
  expect(granted.subscribe?.allow).toHaveLength(3);
  expect(granted.dropped).toHaveLength(bad.length + 1);
  expect(granted.dropped).toContain('pub_subjects entry "a b" is left out: it is not a valid subject');
});

test("an organization whose name is a pattern opens no other organization's subjects", () => {
  const granted = clientPermissions(claims({ ou: "*", permissions: { streams_user: true } }));
  expect(granted.subscribe?.allow).not.toContain("*.republish.>");
  expect(granted.dropped).toEqual(['ou entry "*" is left out: it cannot be part of a subject']);
});
