import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const checkout = resolve(import.meta.dir, "..");

/** Rooms by row, lowest first. A room imports rooms of lower rows, and where noted, a neighbour. */
const rows = [
  ["std", "cli", "re2", "template"],
  ["crypto", "config", "expr", "process", "rego"],
  ["tokens", "ddl"],
  ["protocol", "permissions", "codegen"],
  ["security", "filter", "policy"],
  ["connector"],
  ["streams", "lifecycle", "registration", "submission", "monitor"],
  ["rpc", "executor", "discovery", "machine", "adapters"],
  ["client", "external", "scout"],
  ["server", "broker", "provisioner", "aaa", "emulator", "replicator", "setup"],
];

/** Neighbours that a room of the same row may use: the emulator is made of servers. */
const neighbours: Readonly<Record<string, readonly string[]>> = { emulator: ["server"] };

const rowOf = new Map(rows.flatMap((rooms, row) => rooms.map((room) => [room, row] as const)));

interface Import {
  from: string;
  to: string;
  /** Gone once the types are stripped. */
  isType: boolean;
}

function sourceFiles(folder: string): string[] {
  return [...new Bun.Glob("**/*.ts").scanSync({ cwd: join(checkout, folder) })]
    .map((file) => join(folder, file))
    .sort();
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(checkout, file), "utf8");
  const found = text.matchAll(
    /(?:^|\n)\s*(?:import|export)[^;"']*?from\s*["']([^"']+)["']|import\(\s*["']([^"']+)["']\s*\)/g,
  );
  return [...found].flatMap((match) => {
    const target = match[1] ?? match[2] ?? "";
    const isType = /^\s*(import|export)\s+type\b/.test(match[0]);
    return target.startsWith(".")
      ? [{ from: file, to: relative(checkout, resolve(checkout, dirname(file), target)), isType }]
      : [];
  });
}

function roomOf(file: string): string | undefined {
  const parts = file.split("/");
  return parts[0] === "lib" ? parts[1] : undefined;
}

const libImports = sourceFiles("lib").flatMap(importsOf);

describe("the order of rooms", () => {
  test("every room has a row and a mod.ts", () => {
    const rooms = [...new Set(sourceFiles("lib").map(roomOf))];
    expect(rooms.filter((room) => room === undefined || !rowOf.has(room))).toEqual([]);
    const doors = new Set(sourceFiles("lib").filter((file) => file.endsWith("/mod.ts")));
    expect(rooms.filter((room) => !doors.has(`lib/${room}/mod.ts`))).toEqual([]);
  });

  test("a room imports only rooms of lower rows", () => {
    const upward = libImports.filter(({ from, to }) => {
      const [here, there] = [roomOf(from) ?? "", roomOf(to)];
      if (there === undefined || there === here || neighbours[here]?.includes(there)) return false;
      return (rowOf.get(there) ?? 99) >= (rowOf.get(here) ?? -1);
    });
    expect(upward).toEqual([]);
  });

  test("a room is entered by its mod.ts alone", () => {
    const all = [...libImports, ...sourceFiles("cmd").flatMap(importsOf), ...importsOf("mod.ts")];
    const deep = all.filter(({ from, to }) => {
      const there = roomOf(to);
      return there !== undefined && there !== roomOf(from) && to !== `lib/${there}/mod.ts`;
    });
    expect(deep).toEqual([]);
  });

  test("lib imports nothing outside of lib", () => {
    expect(libImports.filter(({ to }) => !to.startsWith("lib/") && to !== "package.json")).toEqual([]);
  });

  test("files of a room do not import each other in a circle", () => {
    const graph = new Map<string, string[]>();
    const loaded = libImports.filter(({ isType }) => !isType);
    for (const { from, to } of loaded) graph.set(from, [...(graph.get(from) ?? []), to]);
    expect(circles(graph)).toEqual([]);
  });

  test("a mod.ts is a list of names", () => {
    const busy = sourceFiles("lib").filter((file) => {
      if (!file.endsWith("/mod.ts")) return false;
      const code = readFileSync(join(checkout, file), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
      return /\b(function|class|const|let|if|for)\b/.test(code);
    });
    expect(busy).toEqual([]);
  });
});

describe("the project", () => {
  test("every runtime dependency has its line in ARCHITECTURE.md", () => {
    const { dependencies } = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8"));
    const text = readFileSync(join(checkout, "ARCHITECTURE.md"), "utf8");
    expect(Object.keys(dependencies).filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  test("every dependency is used", () => {
    const { dependencies } = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8"));
    const code = [...sourceFiles("lib"), ...sourceFiles("cmd"), "mod.ts"]
      .map((file) => readFileSync(join(checkout, file), "utf8"))
      .join("\n");
    const used = (name: string) => code.includes(`"${name}"`) || code.includes(`"${name}/`);
    expect(Object.keys(dependencies).filter((name) => !used(name))).toEqual([]);
  });

  test("process.exit is called by commands alone", () => {
    const exits = sourceFiles("lib").filter((file) =>
      /process\.exit\(/.test(readFileSync(join(checkout, file), "utf8")),
    );
    expect(exits).toEqual([]);
  });

  test("no exported type is any and no check is switched off", () => {
    const bad = /\bas any\b|: any\b|<any>|@ts-ignore|@ts-expect-error|@ts-nocheck|biome-ignore/;
    const offenders = [...sourceFiles("lib"), ...sourceFiles("cmd")].filter((file) => {
      const code = readFileSync(join(checkout, file), "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*|`[^`]*`|"[^"\n]*"/g, "");
      return bad.test(code) || /@ts-(ignore|nocheck)|biome-ignore/.test(readFileSync(join(checkout, file), "utf8"));
    });
    expect(offenders).toEqual([]);
  });
});

function circles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const done = new Set<string>();
  const visit = (file: string, path: string[]): void => {
    const at = path.indexOf(file);
    if (at >= 0) {
      found.push([...path.slice(at), file]);
      return;
    }
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}
