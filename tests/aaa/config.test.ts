import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { loadAaaConfig, parseAaaConfig } from "../../lib/aaa/mod.ts";
import { fixture } from "./_vectors.ts";

const compose = JSON.parse(readFileSync(fixture("aaa.conf"), "utf8"));

type Document = Record<string, unknown>;

function parse(changes: Document, below?: string) {
  const document = structuredClone(compose);
  Object.assign(below === undefined ? document : document[below], changes);
  return parseAaaConfig(JSON.stringify(document), "aaa.conf");
}

describe("parseAaaConfig()", () => {
  test("reads a configuration of the original as it is", () => {
    const config = loadAaaConfig(fixture("aaa.conf"));

    expect(config).toMatchObject({
      site: "compose",
      loglevel: "debug",
      port: 24741,
      monitorPort: 24742,
      address: undefined,
      choriaConfig: "/tmp/aaa04/aaa-choria.conf",
      tls: { certificate: "/tmp/aaa04/creds/tls.crt", key: "/tmp/aaa04/creds/tls.key", ca: undefined },
      auditors: [{ kind: "logfile", logfile: "/tmp/aaa04/audit.json" }],
    });
    expect(config.signer).toMatchObject({
      authorizer: "opa",
      maxValidity: 7_200_000,
      choriaService: true,
      allowBearerTokens: false,
    });
    expect(config.authenticator).toMatchObject({ validity: 3_600_000, usersFile: "" });
    expect(config.authenticator?.users.map((user) => user.username)).toContain("dot.user@example.net");
    expect(config.authenticator?.users[0]).toMatchObject({
      username: "admin",
      organization: "choria",
      acls: [],
      permissions: { system_user: true, org_admin: true, signed_fleet_management: true },
    });
  });

  test("takes an empty document, in which nothing is served", () => {
    expect(parseAaaConfig("{}", "aaa.conf")).toMatchObject({ site: "default", loglevel: "info", auditors: [] });
  });

  test("passes over keys that it does not know", () => {
    expect(parse({ surprise: [1] }).site).toBe("compose");
  });

  test.each<[string, string | undefined, Document]>([
    ["/port: expected a port number from 0 to 65535, found a text", undefined, { port: "443" }],
    ["/port: expected a port number from 0 to 65535, found the number 70000", undefined, { port: 70_000 }],
    ["/loglevel: expected debug, info, warn, error or fatal", undefined, { loglevel: "loud" }],
    ["/authenticator: okta authenticator has been removed", undefined, { authenticator: "okta" }],
    ["/authenticator: unknown authenticator: ldap", undefined, { authenticator: "ldap" }],
    [
      "/userlist_authenticator: is required, as the authenticator is userlist",
      undefined,
      { userlist_authenticator: null },
    ],
    ["/authorizer: unknown authorizer: x", undefined, { authorizer: "x" }],
    ["/authorizer: is required where requests are signed: actionlist or opa", undefined, { authorizer: "" }],
    ["/signer: unknown signer: x", undefined, { signer: "x" }],
    ["/basicjwt_signer: basicjwt signer enabled without a valid configuration", undefined, { basicjwt_signer: null }],
    ["/auditors/1: unknown auditor: paper", undefined, { auditors: ["logfile", "paper"] }],
    ["/auditors/0: NATS Streaming Server auditor has been removed", undefined, { auditors: ["natsstream"] }],
    ["/logfile_auditor: is required, as logfile is among the auditors", undefined, { logfile_auditor: null }],
    [
      "/jetstream_auditor/topic: is required",
      undefined,
      { auditors: ["jetstream"], jetstream_auditor: { servers: "a" } },
    ],
    ["/tls_key: is required beside tls_certificate", undefined, { tls_key: "" }],
    ["/basicjwt_signer/max_validity: max_validity is required", "basicjwt_signer", { max_validity: "" }],
    ["/basicjwt_signer/max_validity: invalid max_validity duration: ", "basicjwt_signer", { max_validity: "1d" }],
    ["/basicjwt_signer/signing_certificate: is required", "basicjwt_signer", { signing_certificate: null }],
    ["/basicjwt_signer/signing_token: is required beside signing_seed", "basicjwt_signer", { signing_token: "" }],
    ["/basicjwt_signer/choria_service: expected true or false", "basicjwt_signer", { choria_service: "yes" }],
    ["/userlist_authenticator/validity: invalid token validity: ", "userlist_authenticator", { validity: "1y" }],
    ["/userlist_authenticator/validity: invalid token validity: ", "userlist_authenticator", { validity: "" }],
    ["/userlist_authenticator/users: expected a list, found an object", "userlist_authenticator", { users: {} }],
    ["/userlist_authenticator/users/0/username: is required", "userlist_authenticator", { users: [{}] }],
    [
      "/userlist_authenticator/users/1/broker_permissions/org_admin: expected true or false, found a text",
      "userlist_authenticator",
      { users: [{ username: "a" }, { username: "b", broker_permissions: { org_admin: "yes" } }] },
    ],
  ])("refuses with %j", (text, below, changes) => {
    expect(() => parse(changes, below)).toThrow(`Cannot use the configuration "aaa.conf": ${text}`);
  });

  test("does not repeat what may be a secret", () => {
    const broken = { users: [{ username: "a", password: ["hunter2"] }] };
    expect(() => parse(broken, "userlist_authenticator")).toThrow(/password: expected a text, found a list$/);
  });

  test("names the file that is not there, or no JSON", () => {
    expect(() => loadAaaConfig("/nowhere/aaa.conf")).toThrow(
      'Cannot read the configuration "/nowhere/aaa.conf": ENOENT',
    );
    expect(() => parseAaaConfig("{", "aaa.conf")).toThrow('Cannot use the configuration "aaa.conf": ');
  });
});
