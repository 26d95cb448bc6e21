import { describe, expect, test } from "bun:test";
import { availableParallelism } from "node:os";
import { loadProvisionerConfig, parseProvisionerConfig } from "../../lib/provisioner/mod.ts";

const fixture = `${import.meta.dir}/../fixtures/provisioning/provisioner.yaml`;
const parse = (text: string) => parseProvisionerConfig(`helper: /bin/helper\n${text}`, "p.yaml");

describe("provisioner.yaml", () => {
  test("of the original is read unchanged", () => {
    expect(loadProvisionerConfig(fixture)).toMatchObject({
      workers: 4,
      interval: 60_000,
      logfile: "/dev/stdout",
      loglevel: "debug",
      token: "s3cret",
      insecure: false,
      site: "testing",
      monitorPort: 26207,
      brokerPassword: "s3cret",
      lifecycleComponent: "provision_mode_server",
      serverValidity: 365 * 86_400_000,
      leaderElection: false,
      helperModule: false,
      features: { jwt: true, ed25519: true, pki: false, upgrades: false },
    });
  });

  test("has defaults for all but the helper", () => {
    expect(parse("")).toMatchObject({ workers: availableParallelism(), interval: 60_000, loglevel: "info", token: "" });
    expect(parse("workers: 0\nunknown: {a: 1}").workers).toBe(availableParallelism());
    expect(() => parseProvisionerConfig("", "p.yaml")).toThrow("helper is not set");
  });

  test("takes days and years, bare digits as text, and the booleans of older YAML", () => {
    const config = parse("interval: 2d\nserver_jwt_validity: 5y\ntoken: 1234\nleader_election: yes");
    expect(config).toMatchObject({ interval: 172_800_000, serverValidity: 5 * 31_536_000_000, token: "1234" });
    expect(config.leaderElection).toBe(true);
  });

  test("ed25519 brings the token check along", () => {
    expect(parse("features: {ed25519: true}").features).toEqual({
      jwt: true,
      ed25519: true,
      pki: false,
      upgrades: false,
    });
  });

  test.each([
    [
      "interval: 59s",
      "line 2, column 1: interval is too small, minmum is 1 minute.  Valid example values are 10m or 10h",
    ],
    ["token: x\ninterval: soon", 'line 3, column 1: Cannot read the duration "soon"'],
    ["lifecycle_component: a.b", "line 2, column 1: lifecycle_component may not contain"],
    ["workers: many", "line 2, column 1: workers must be a whole number"],
    ["choria_insecure: 7", "line 2, column 1: choria_insecure must be true or false"],
    ["token: [a]", "line 2, column 1: token must be text"],
    ["features: {pki: true, ed25519: true}", "can only enable one of pki or ed25519 features"],
    ["features: 3", "features must hold settings of its own"],
    ["features:\n  jwt: perhaps", "line 3, column 3: jwt must be true or false"],
    ["loglevel: loud", 'unknown loglevel "loud"'],
    ["token: 'open", "file p.yaml could not be parsed: line"],
  ])("%p is refused with its place", (text, reason) => {
    expect(() => parse(text)).toThrow(reason);
  });

  test("that does not exist, or holds no settings, is an error", () => {
    expect(() => loadProvisionerConfig("/nonexistent/p.yaml")).toThrow("file /nonexistent/p.yaml not found");
    expect(() => parseProvisionerConfig("- a\n- b", "p.yaml")).toThrow("expected settings as key: value");
  });
});
