import { decodeBase64, encodeBase64 } from "../crypto/mod.ts";
import { encodeSecureRequest } from "../protocol/mod.ts";
import { errorText, type JsonObject, type Logger } from "../std/mod.ts";
import { apiDescription, apiPage } from "./api_description.ts";
import { badBody, readBody, textField } from "./http_body.ts";
import { HttpError } from "./http_error.ts";
import type { LoginAnswer, LoginRequest, LoginService } from "./login.ts";
import { TooBusyError } from "./password.ts";
import type { SigningService } from "./signer.ts";

/** What the HTTP API serves. */
export interface HttpApiOptions {
  /** Absent where nobody can log in. */
  login?: Pick<LoginService, "login"> | undefined;
  /** Absent where nothing is signed. */
  signer?: Pick<SigningService, "sign"> | undefined;
  logger: Logger;
}

/** Answers an HTTP request; never rejects. */
export type HttpHandler = (request: Request) => Promise<Response>;

type Operation = (body: JsonObject) => Promise<object>;

/**
 * The HTTP API: `POST /choria/v1/login` and `POST /choria/v1/sign`, described by `GET /swagger.json` and for people by
 * `GET /choria/v1/docs`. A refused login or signature is an answer like any other, with status 200.
 */
export function httpApi(options: HttpApiOptions): HttpHandler {
  const { login, signer, logger } = options;
  const operations: Readonly<Record<string, Operation>> = {
    "/choria/v1/login": async (body) => (login === undefined ? notImplemented("PostLogin") : answerLogin(body, login)),
    "/choria/v1/sign": async (body) => (signer === undefined ? notImplemented("PostSign") : answerSign(body, signer)),
  };
  const pages: Readonly<Record<string, () => Response>> = {
    "/swagger.json": () => Response.json(apiDescription),
    "/choria/v1/docs": () => new Response(apiPage, { headers: { "Content-Type": "text/html; charset=utf-8" } }),
  };

  async function answer(request: Request): Promise<Response> {
    const path = new URL(request.url).pathname;
    const trimmed = path.replace(/(?<=.)\/$/, "");
    if (Object.hasOwn(pages, trimmed)) return pages[trimmed]?.() ?? Response.error();
    const operation = Object.hasOwn(operations, trimmed) ? operations[trimmed] : undefined;
    if (operation === undefined) throw new HttpError(404, `path ${path} was not found`);
    if (request.method !== "POST") {
      const message = `method ${request.method} is not allowed, but [POST] are`;
      throw new HttpError(405, message, { headers: { Allow: "POST" } });
    }
    return json(await operation(await readBody(request)));
  }

  return async (request) => {
    try {
      return await answer(request);
    } catch (error) {
      if (error instanceof HttpError) return error.toResponse();
      if (error instanceof NotImplemented) return json(error.message, 501);
      if (error instanceof TooBusyError) {
        return new HttpError(503, error.message, { headers: { "Retry-After": "2" } }).toResponse();
      }
      logger.error("An HTTP request could not be answered", { reason: errorText(error) });
      return new HttpError(500, "the request could not be answered").toResponse();
    }
  };
}

function answerLogin(body: JsonObject, login: Pick<LoginService, "login">): Promise<LoginAnswer> {
  const request: LoginRequest = {
    username: textField(body, "username"),
    password: textField(body, "password"),
    signature: textField(body, "signature"),
    public_key: textField(body, "public_key"),
    timestamp: textField(body, "timestamp"),
  };
  return login.login(request);
}

async function answerSign(body: JsonObject, signer: Pick<SigningService, "sign">): Promise<object> {
  const token = textField(body, "token");
  const signature = textField(body, "signature");
  const request = decodeBase64(textField(body, "request"));
  if (request === undefined) throw badBody("the field request must be base64");
  const answer = await signer.sign({ token, request, signature });
  if ("secureRequest" in answer) {
    return { secure_request: encodeBase64(encodeSecureRequest(answer.secureRequest)) };
  }
  return { error: answer.reason === undefined ? "Request denied" : `Request denied: ${answer.reason}` };
}

class NotImplemented extends Error {
  override readonly name = "NotImplemented";
}

function notImplemented(operation: string): never {
  throw new NotImplemented(`operation ${operation} has not yet been implemented`);
}

function json(value: unknown, status = 200): Response {
  return new Response(`${JSON.stringify(value)}\n`, { status, headers: { "Content-Type": "application/json" } });
}
