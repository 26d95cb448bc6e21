const text = (description: string, format?: string) => ({
  type: "string",
  description,
  ...(format === undefined ? {} : { format }),
});

function operation(summary: string, description: string, request: string, response: string) {
  return {
    post: {
      summary,
      description,
      consumes: ["application/json"],
      produces: ["application/json"],
      parameters: [{ name: "request", in: "body", required: true, schema: { $ref: `#/definitions/${request}` } }],
      responses: {
        200: { description: "The answer, refusals included", schema: { $ref: `#/definitions/${response}` } },
      },
    },
  };
}

/** The API as a Swagger 2.0 document, for generators of clients. */
export const apiDescription = {
  swagger: "2.0",
  info: {
    title: "Choria AAA Service",
    description: "Logs users in and signs the requests that their policies allow them to make",
    version: "1.0.0",
  },
  schemes: ["https", "http"],
  basePath: "/choria/v1",
  paths: {
    "/login": operation(
      "Log in",
      "Checks name and password and answers with a token for the caller's key",
      "LoginRequest",
      "LoginResponse",
    ),
    "/sign": operation(
      "Sign a request",
      "Asks the policy in the caller's token and answers with the signed request",
      "SignRequest",
      "SignResponse",
    ),
  },
  definitions: {
    LoginRequest: {
      type: "object",
      properties: {
        username: text("Name of the user"),
        password: text("Password of the user"),
        public_key: text("Hex of the ed25519 public key that the token will be for"),
        timestamp: text("Unix time in seconds, as decimal digits; no older than a minute"),
        signature: text("Hex of the key's signature over timestamp:username:password"),
      },
    },
    LoginResponse: {
      type: "object",
      properties: {
        token: text("The user's token"),
        error: text("Set where the login failed"),
      },
    },
    SignRequest: {
      type: "object",
      properties: {
        token: text("The caller's token, from /login"),
        request: text("The request to be signed, io.choria.protocol.v2.request", "byte"),
        signature: text("Hex of the signature over the request, made with the token's key"),
      },
    },
    SignResponse: {
      type: "object",
      properties: {
        secure_request: text("The signed request, io.choria.protocol.v2.secure_request", "byte"),
        error: text("Set where the request was not signed"),
      },
    },
  },
} as const;

/** A page for people who meet the service in a browser. */
export const apiPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Choria AAA Service</title>
<style>body { font: 16px/1.5 sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem }</style>
<h1>Choria AAA Service</h1>
<p>Logs users in and signs the requests that their policies allow them to make.</p>
<ul>
<li><code>POST /choria/v1/login</code>: name, password and a fresh key in, a token out</li>
<li><code>POST /choria/v1/sign</code>: a request and the caller's token in, the signed request out</li>
</ul>
<p>Everything about their fields stands in <a href="/swagger.json">swagger.json</a>.</p>
</html>
`;
