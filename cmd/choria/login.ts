import { mkdirSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import { Command } from "commander";
import { type Prompter, terminalPrompter } from "../../lib/cli/mod.ts";
import type { Config } from "../../lib/config/mod.ts";
import { tlsOptions } from "../../lib/connector/mod.ts";
import { generateKey, writeSeedFile } from "../../lib/crypto/mod.ts";
import { credentialFiles } from "../../lib/security/mod.ts";
import { encodeUtf8, errorText, isObject, systemClock } from "../../lib/std/mod.ts";
import { decodeTokenUnverified, writeTokenFile } from "../../lib/tokens/mod.ts";
import { addClientFlags, type ClientFlags, clientConfig } from "./client/open.ts";

interface LoginFlags extends ClientFlags {
  username?: string;
  passwordStdin?: true;
}

/** Longest wait for the login service, in milliseconds. */
const timeout = 30_000;

const examples = `
Examples:
  choria login
  choria login --username bob --password-stdin < password.txt`;

/** `choria login`: exchange name and password for a token. */
export function command(): Command {
  const login = new Command("login").description(
    "Log in to the AAA service. A program choria-login on the PATH is called instead, with the same arguments.",
  );
  return addClientFlags(login)
    .option("--username <name>", "who logs in; asked for by default")
    .option("--password-stdin", "read the password from standard input; needs --username")
    .addHelpText("after", examples)
    .action((flags: LoginFlags) => runLogin(flags));
}

async function runLogin(flags: LoginFlags): Promise<void> {
  const other = Bun.which("choria-login");
  if (other !== null) {
    process.exitCode = await handOver(other, process.argv.slice(3));
    return;
  }
  const config = clientConfig(flags);
  const [url] = shuffled(config.get("plugin.login.aaasvc.login.url"));
  if (url === undefined) {
    throw new Error("please configure a login server URL using plugin.login.aaasvc.login.url");
  }
  if (config.get("plugin.security.choria.token_file") === "") {
    throw new Error("no token path found: no token file defined");
  }
  const { username, password } = await ask(flags, terminalPrompter);
  const tokenFile = await logIn(config, url, username, password);
  process.stdout.write(`Token saved to ${tokenFile}\n`);
}

/** Let an organization's own login program do it, and end as it does. */
async function handOver(program: string, args: string[]): Promise<number> {
  const child = Bun.spawn([program, ...args], { stdin: "inherit", stdout: "inherit", stderr: "inherit" });
  return await child.exited;
}

async function ask(flags: LoginFlags, prompter: Prompter): Promise<{ username: string; password: string }> {
  if (flags.passwordStdin) {
    if (!flags.username) throw new Error("--password-stdin needs --username");
    const password = (await Bun.stdin.text()).replace(/\r?\n$/, "");
    if (password === "") throw new Error("there is no password on standard input");
    return { username: flags.username, password };
  }
  if (!process.stdin.isTTY) {
    throw new Error("there is no terminal to ask for the password on: use --username NAME --password-stdin");
  }
  const username = flags.username ?? (await prompter.text("Username: ", process.env.USER));
  return { username, password: await prompter.secret("Password: ") };
}

/** Log in with a new key. Only a login that worked touches what is on disk. */
async function logIn(config: Config, url: string, username: string, password: string): Promise<string> {
  const { tokenFile, seedFile } = credentialFiles(config);
  const key = generateKey();
  const timestamp = String(Math.floor(systemClock.now() / 1_000));
  const signature = key.sign(encodeUtf8(`${timestamp}:${username}:${password}`)).toHex();
  const body = { username, password, signature, public_key: key.publicKey, timestamp };
  const token = await requestToken(url, body, config);
  for (const file of [tokenFile, seedFile]) mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // A full disk shows before either file is touched, so that key and token always belong together.
  const [newToken, newSeed] = [`${tokenFile}.new`, `${seedFile}.new`];
  writeTokenFile(newToken, token);
  writeSeedFile(newSeed, key);
  renameSync(newSeed, seedFile);
  renameSync(newToken, tokenFile);
  return tokenFile;
}

async function requestToken(url: string, body: object, config: Config): Promise<string> {
  const { ca } = tlsOptions(config);
  const tls = ca === undefined ? { rejectUnauthorized: false } : { ca };
  const response = await post(url, JSON.stringify(body), tls);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`invalid response code ${response.status}: ${text.trim()}`);
  const { token, error } = readAnswer(text);
  if (typeof error === "string" && error !== "") throw new Error(error);
  if (typeof token !== "string" || token === "") throw new Error("no token received");
  try {
    decodeTokenUnverified(token);
  } catch (reason) {
    throw new Error(`the login service sent something that is no token: ${errorText(reason)}`, { cause: reason });
  }
  return token;
}

async function post(url: string, body: string, tls: object): Promise<Response> {
  const headers = { "Content-Type": "application/json" };
  try {
    return await fetch(url, { method: "POST", headers, body, tls, signal: AbortSignal.timeout(timeout) });
  } catch (error) {
    throw new Error(`Cannot reach the login service ${url}: ${errorText(error)}`, { cause: error });
  }
}

function readAnswer(text: string): { token?: unknown; error?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // Told below, together with what parses to something else than an object.
  }
  throw new Error("the login service sent no JSON object");
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
