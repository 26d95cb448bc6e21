import { expect, test } from "bun:test";
import { parseNatsLog } from "../../lib/broker/mod.ts";

test("levels of nats-server become ours", () => {
  const levels = ["TRC", "DBG", "INF", "WRN", "ERR", "FTL"].map((label) => parseNatsLog(`[1] [${label}] text`)?.level);
  expect(levels).toEqual(["debug", "debug", "info", "warn", "error", "error"]);
});

test("a time that nats-server prints is passed over, as ours stands there", () => {
  expect(parseNatsLog("[12] 2026/11/22 10:02:34.123456 [INF] Server is ready\n")).toEqual({
    level: "info",
    message: "Server is ready",
    isBare: false,
  });
});

test("what is no line of its log, such as a panic, is told as a warning", () => {
  expect(parseNatsLog("panic: runtime error")).toEqual({
    level: "warn",
    message: "panic: runtime error",
    isBare: true,
  });
});

test("its banner is left out", () => {
  expect(parseNatsLog("[1] [INF]  _ ___ _____ ___ _____ ___ ___   _   __  __")).toBeUndefined();
  expect(parseNatsLog("[1] [INF] ")).toBeUndefined();
});

test("a token never reaches our log", () => {
  const jwt = "eyJhbGciOiJFZERTQSJ9.eyJjYWxsZXJpZCI6ImEifQ.c2lnbmF0dXJl";
  expect(parseNatsLog(`[1] [ERR] authentication error - User "${jwt}" x`)?.message).toBe(
    'authentication error - User "*****" x',
  );
});
