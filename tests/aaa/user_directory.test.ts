import { describe, expect, test } from "bun:test";
import { rmSync, utimesSync, writeFileSync } from "node:fs";
import { UserDirectory } from "../../lib/aaa/mod.ts";
import vectors from "../fixtures/aaa/actionlist.json";
import { temporaryFolder } from "../support/folder.ts";
import { post, vectorConfig, vectorServices, writePolicies } from "./_vectors.ts";

const hash = "$2a$05$zQIl4gUZbqmKhpQhIeWx3uDWhAZaHoG34zW1ZsxXQt5xpL5f4uyny";

/** Write a file with a time of its own, as a clock's tick may be too coarse to tell two writes apart. */
let written = 1_700_000_000;
function write(file: string, content: unknown): void {
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  written += 1;
  utimesSync(file, written, written);
}

describe("UserDirectory", () => {
  test("knows the users of the configuration", () => {
    const { authenticator } = vectorConfig("/nowhere");
    const users = new UserDirectory({ users: authenticator?.users ?? [], usersFile: "" });
    expect(users.find("admin")?.permissions).toEqual({
      system_user: true,
      org_admin: true,
      signed_fleet_management: true,
    });
    expect(users.find("nobody")).toBeUndefined();
    expect(users.find("__proto__")).toBeUndefined();
  });

  test("replaces the users of the configuration by those of the file", () => {
    using folder = temporaryFolder();
    const usersFile = folder.file("users.json");
    write(usersFile, [{ username: "late", password: hash, acls: ["rpcutil.*"] }]);
    const { authenticator } = vectorConfig("/nowhere");
    const users = new UserDirectory({ users: authenticator?.users ?? [], usersFile });

    users.refresh();

    expect(users.find("admin")).toBeUndefined();
    expect(users.find("late")?.acls).toEqual(["rpcutil.*"]);
  });

  test("keeps nothing of a user as he was in the file before", () => {
    using folder = temporaryFolder();
    const usersFile = folder.file("users.json");
    write(usersFile, [{ username: "a", password: hash, acls: ["*"], broker_permissions: { org_admin: true } }]);
    const users = new UserDirectory({ users: [], usersFile });
    users.refresh();

    write(usersFile, [{ username: "a", password: hash }]);
    users.refresh();

    expect(users.find("a")).toMatchObject({ acls: [], permissions: undefined });
  });

  test("fails once for a broken file and then goes on with the users it had", () => {
    using folder = temporaryFolder();
    const usersFile = folder.file("users.json");
    write(usersFile, [{ username: "a", password: hash }]);
    const users = new UserDirectory({ users: [], usersFile });
    users.refresh();

    write(usersFile, '[{"username":');
    expect(() => users.refresh()).toThrow(`Cannot use the users' file "${usersFile}": `);
    users.refresh();
    expect(users.find("a")).toBeDefined();

    write(usersFile, [{ username: "b", password: hash }]);
    users.refresh();
    expect([users.find("a"), users.find("b")?.username]).toEqual([undefined, "b"]);
  });

  test("fails each time while the file is gone", () => {
    using folder = temporaryFolder();
    const usersFile = folder.file("users.json");
    write(usersFile, []);
    const users = new UserDirectory({ users: [], usersFile });
    rmSync(usersFile);
    expect(() => users.refresh()).toThrow("ENOENT");
    expect(() => users.refresh()).toThrow("ENOENT");
  });

  test("takes the first of two users of one name", () => {
    using folder = temporaryFolder();
    const usersFile = folder.file("users.json");
    write(usersFile, [
      { username: "a", password: hash, organization: "first" },
      { username: "a", password: hash, organization: "second" },
    ]);
    const users = new UserDirectory({ users: [], usersFile });
    users.refresh();
    expect(users.find("a")?.organization).toBe("first");
  });

  test("knows the cost that most of its users' hashes have", () => {
    const { authenticator } = vectorConfig("/nowhere");
    expect(new UserDirectory({ users: authenticator?.users ?? [], usersFile: "" }).cost).toBe(5);
    expect(new UserDirectory({ users: [], usersFile: "" }).cost).toBe(10);
  });
});

describe("the logins of the vectors around a change of the file", () => {
  test("end as those of the original did", async () => {
    using folder = temporaryFolder();
    writePolicies(folder.path);
    const usersFile = folder.file("users.json");
    write(usersFile, []);
    const config = vectorConfig(folder.path, (changes) => {
      Object.assign(changes.userlist_authenticator ?? {}, { users_file: usersFile, validity: "20m" });
    });
    const { api } = await vectorServices(config, { now: 1_795_322_362_000 });
    const outcome = async (name: string) => {
      const found = vectors.logins.find((each) => each.case === name);
      const answer = JSON.parse(await (await api(post("login", found?.request))).text());
      return { ours: Object.keys(answer), original: Object.keys(JSON.parse(found?.response_body ?? "{}")) };
    };

    expect((await outcome("hot_reload_new_user")).ours).toEqual(["error"]);
    write(usersFile, [{ username: "late", password: hash, opa_policy_file: folder.file("admin.rego") }]);
    for (const name of ["hot_reload_new_user", "hot_reload_broken_file_1", "hot_reload_broken_file_2"]) {
      if (name === "hot_reload_broken_file_1") write(usersFile, "[{");
      const { ours, original } = await outcome(name);
      expect(ours, name).toEqual(original);
    }
  });
});
