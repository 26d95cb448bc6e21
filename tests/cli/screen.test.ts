import { describe, expect, test } from "bun:test";
import { EventEmitter } from "node:events";
import { type Key, Screen } from "../../lib/cli/mod.ts";
import { waitFor } from "../support/wait.ts";

class FakeInput extends EventEmitter {
  readonly raw: boolean[] = [];
  isFlowing = false;
  setRawMode(isRaw: boolean) {
    this.raw.push(isRaw);
  }
  resume() {
    this.isFlowing = true;
  }
  pause() {
    this.isFlowing = false;
  }
}

class FakeOutput extends EventEmitter {
  columns = 20;
  rows = 3;
  text = "";
  write(text: string) {
    this.text += text;
  }
  take(): string {
    const { text } = this;
    this.text = "";
    return text;
  }
}

function open() {
  const [input, output, keys] = [new FakeInput(), new FakeOutput(), [] as Key[]];
  let resized = 0;
  const screen = new Screen({ input, output, onKey: (key) => keys.push(key), onResize: () => resized++ });
  return { input, output, keys, screen, resized: () => resized };
}

describe("a screen", () => {
  test("takes the terminal, and gives it back once", () => {
    const { input, output, screen } = open();
    expect(output.take()).toStartWith("\u{1b}[?1049h\u{1b}[?25l");
    expect(input).toMatchObject({ raw: [true], isFlowing: true });
    screen.close();
    screen.close();
    expect(output.take()).toEndWith("\u{1b}[?25h\u{1b}[?1049l");
    expect(input).toMatchObject({ raw: [true, false], isFlowing: false });
    expect([input.listenerCount("data"), output.listenerCount("resize")]).toEqual([0, 0]);
  });

  test("sends the lines that changed, and nothing where none did", () => {
    const { output, screen } = open();
    screen.draw(["one", "two", "three"]);
    output.take();
    screen.draw(["one", "2", "three"]);
    expect(output.take()).toBe("\u{1b}[?2026h\u{1b}[2;1H\u{1b}[K2\u{1b}[0m\u{1b}[?2026l");
    screen.draw(["one", "2", "three"]);
    expect(output.take()).toBe("");
    screen.close();
    output.take();
    screen.draw(["late"]);
    expect(output.take()).toBe("");
  });

  test("draws everything anew at another size", () => {
    const { output, screen, resized } = open();
    screen.draw(["one"]);
    Object.assign(output, { rows: 2, columns: 10 });
    output.emit("resize");
    expect({ times: resized(), size: screen.size }).toEqual({ times: 1, size: { columns: 10, rows: 2 } });
    output.take();
    screen.draw(["one", "two", "three"]);
    expect(output.take()).toBe(
      "\u{1b}[?2026h\u{1b}[1;1H\u{1b}[Kone\u{1b}[0m\u{1b}[2;1H\u{1b}[Ktwo\u{1b}[0m\u{1b}[?2026l",
    );
    screen.close();
  });

  test("hands out keys, an escape once nothing follows it", async () => {
    const { input, keys, screen } = open();
    input.emit("data", Buffer.from("q\u{1b}[A"));
    expect(keys).toEqual([{ name: "text", text: "q" }, { name: "up" }]);
    input.emit("data", Buffer.from("\u{1b}"));
    await waitFor("the escape", () => keys.length === 3);
    expect(keys.at(-1)).toEqual({ name: "escape" });
    screen.close();
  });
});
