import { describe, expect, test } from "bun:test";
import { decodeManifest, machineDot, machineSvg } from "../../lib/machine/mod.ts";

const manifest = (name: string) =>
  decodeManifest(`name: ${JSON.stringify(name)}
version: 1.0.0
initial_state: "A <&> \\"A\\""
transitions:
  - {name: on, from: ["A <&> \\"A\\"", B], destination: B}
  - {name: again, from: [B], destination: B}
  - {name: off, from: [B], destination: "A <&> \\"A\\""}
watchers: [{name: w, type: timer}]
`).manifest;

interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

function rectangles(svg: string): Rectangle[] {
  const found = svg.matchAll(
    /<rect class="state[^"]*" x="([-\d.]+)" y="([-\d.]+)" width="([\d.]+)" height="([\d.]+)"/g,
  );
  return [...found].map(([, x, y, width, height]) => ({
    x: Number(x),
    y: Number(y),
    width: Number(width),
    height: Number(height),
  }));
}

/** A machine of as many states, each of which leads to each. */
function crowd(size: number): string {
  const states = Array.from({ length: size }, (_, at) => `STATE_${at}`);
  const transitions = states.map((state) => ({
    name: state,
    from: states,
    destination: state,
    description: "",
    subscribe: [],
  }));
  return machineSvg({ name: "crowd", initialState: "STATE_0", transitions });
}

describe("the picture of a machine", () => {
  test("shows every state once, and an arrow for each way with the names of its transitions", () => {
    const svg = machineSvg(manifest("x"));
    expect(rectangles(svg)).toHaveLength(2);
    expect(svg.match(/<path class="way"/g)).toHaveLength(3);
    for (const text of [">on<", ">again<", ">off<", "A &#60;&#38;&#62; &#34;A&#34;"]) expect(svg).toContain(text);
  });

  test("holds names that look like markup as text", () => {
    const svg = machineSvg(manifest('</title><script>alert("x")</script>'));
    expect(svg).not.toContain("<script");
    expect(machineDot(manifest("x"))).toContain('"A <&> \\"A\\"" -> "B" [ label = "on" ];');
  });

  test("has states that do not cover each other, all within its frame", () => {
    for (const size of [1, 2, 3, 6, 10, 24]) {
      const svg = crowd(size);
      const boxes = rectangles(svg);
      expect(boxes).toHaveLength(size);
      const frame = /viewBox="([-\d.]+) ([-\d.]+) ([\d.]+) ([\d.]+)"/.exec(svg)?.slice(1).map(Number);
      const [left = 0, top = 0, width = 0, height = 0] = frame ?? [];
      for (const [at, a] of boxes.entries()) {
        expect(a.x >= left && a.y >= top && a.x + a.width <= left + width && a.y + a.height <= top + height).toBeTrue();
        for (const b of boxes.slice(at + 1)) {
          const apart = a.x + a.width < b.x || b.x + b.width < a.x || a.y + a.height < b.y || b.y + b.height < a.y;
          expect(apart).toBeTrue();
        }
      }
    }
  });

  test("has no coordinate that is no number", () => {
    for (const size of [1, 2, 3, 10]) expect(crowd(size)).not.toMatch(/NaN|Infinity|undefined/);
  });
});
