import { action, agentDdl, output, textInput } from "./_parts.ts";

/** The service that signs requests on behalf of users. */
export const aaaSigner = agentDdl(
  {
    name: "aaa_signer",
    description: "Signs requests of users after asking the AAA service's policies",
    timeout: 10,
    provider: "golang",
    service: true,
  },
  [
    action("sign", "Have a request checked against the caller's policy and signed", {
      display: "always",
      input: {
        request: textInput("Request", "The request document, as JSON text", "shellsafe", 100_240),
        signature: textInput("Signature", "The caller's ed25519 signature over the request, in hex", ".", 1_024),
        token: textInput("Token", "The caller's token", ".", 10_024),
      },
      output: { secure_request: output("Secure Request", "string", "The signed request, as JSON text") },
    }),
  ],
);
