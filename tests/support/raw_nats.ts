import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { isObject, type JsonObject } from "../../lib/std/mod.ts";

/** How long a broker may take to say something. */
const patience = 15_000;

/** A connection that speaks NATS' protocol line by line, so that a test can send what no client would. */
export class RawNats implements Disposable {
  /** What the broker said about itself before anything was encrypted. */
  readonly info: JsonObject;
  #socket: Socket;
  #text = "";
  #isClosed = false;
  #changed: () => void = () => {};

  private constructor(socket: Socket, info: JsonObject) {
    this.#socket = socket;
    this.info = info;
    socket.on("data", (data) => {
      this.#text += data.toString("latin1");
      this.#changed();
    });
    for (const event of ["error", "close", "end"]) socket.on(event, () => this.#close());
  }

  /** Connect to a broker on 127.0.0.1 and read its INFO. */
  static async open(port: number, options: { tls: boolean } = { tls: true }): Promise<RawNats> {
    const plain = connectTcp({ host: "127.0.0.1", port });
    const info = await firstLine(plain);
    const parsed: unknown = JSON.parse(info.replace(/^INFO /, ""));
    if (!isObject(parsed)) throw new Error(`The broker said ${info}`);
    return new RawNats(options.tls ? await encrypt(plain) : plain, parsed);
  }

  /** The nonce to sign. */
  get nonce(): string {
    return String(this.info.nonce ?? "");
  }

  /** Whether the broker ended the connection. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Send lines without waiting. */
  write(text: string | Uint8Array): void {
    if (!this.#isClosed) this.#socket.write(text);
  }

  /** Send CONNECT and PING; gives what the broker answers: `PONG` last when it lets us in. */
  connect(fields: JsonObject): Promise<string[]> {
    return this.ask(`CONNECT ${JSON.stringify({ verbose: false, pedantic: false, headers: true, ...fields })}`);
  }

  /** Send lines, then PING; gives the broker's lines up to its PONG, or `(closed)` last when it hung up. */
  ask(lines: string): Promise<string[]> {
    this.write(`${lines === "" ? "" : `${lines}\r\n`}PING\r\n`);
    return this.#until((line) => line === "PONG");
  }

  /** Wait for a line; gives everything up to it, or `(closed)` last. */
  expect(pattern: RegExp): Promise<string[]> {
    return this.#until((line) => pattern.test(line));
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  async #until(isLast: (line: string) => boolean): Promise<string[]> {
    const lines: string[] = [];
    const end = Date.now() + patience;
    for (;;) {
      for (let at = this.#text.indexOf("\r\n"); at >= 0; at = this.#text.indexOf("\r\n")) {
        const line = this.#text.slice(0, at);
        this.#text = this.#text.slice(at + 2);
        // The broker tells about itself anew once it knows who we are.
        if (!line.startsWith("INFO ")) lines.push(line);
        if (isLast(line)) return lines;
      }
      if (this.#isClosed) return [...lines, "(closed)"];
      if (Date.now() > end) throw new Error(`The broker said no more than ${JSON.stringify(lines)}`);
      await this.#change(end - Date.now());
    }
  }

  #change(timeout: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeout);
      this.#changed = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #close(): void {
    this.#isClosed = true;
    this.#changed();
  }
}

function firstLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const onData = (data: Buffer) => {
      text += data.toString("latin1");
      if (!text.includes("\r\n")) return;
      socket.off("data", onData);
      resolve(text.slice(0, text.indexOf("\r\n")));
    };
    socket.on("data", onData);
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("The broker hung up before it said anything")));
  });
}

function encrypt(socket: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const secure = connectTls({ socket, rejectUnauthorized: false }, () => resolve(secure));
    secure.once("error", reject);
  });
}
