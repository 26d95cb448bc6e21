import type { DdlInput, DdlOutput } from "../ddl.ts";
import { action, agentDdl, output, textInput } from "./_parts.ts";

const token = textInput("Token", "The secret that the node's provisioning token names", ".", 128, { default: "" });
const optionalToken: DdlInput = { ...token, optional: true };
const message: DdlOutput = output("Message", "string", "What the node is about to do");

const subjectPart = (prompt: string, description: string): DdlInput =>
  textInput(prompt, description, "^[\\w\\s-]+$", 50, { optional: true });

/** The agent that turns a bare server into a member of the network. */
export const choriaProvision = agentDdl(
  {
    name: "choria_provision",
    description: "Gives servers their keys, tokens and configuration",
    timeout: 20,
  },
  [
    action("configure", "Hand a node its configuration and credentials", {
      display: "failed",
      input: {
        action_policies: {
          prompt: "Action policies",
          description: "Action policies by file name",
          type: "hash",
          optional: true,
          default: {},
        },
        ca: textInput("Authorities", "Certificate authorities, PEM", "^-----BEGIN CERTIFICATE-----", 20_480, {
          optional: true,
        }),
        certificate: textInput("Certificate", "The node's certificate, PEM", "^-----BEGIN CERTIFICATE-----", 10_240, {
          optional: true,
        }),
        config: textInput("Configuration", "Keys and values of the configuration, a JSON object", "^{.+}$", 2_048),
        ecdh_public: textInput("ECDH key", "Public half of the key that encrypts the private key", ".", 64, {
          optional: true,
          default: "",
        }),
        key: textInput("Private key", "The node's private key, PEM", "-----BEGIN RSA PRIVATE KEY-----", 10_240, {
          optional: true,
        }),
        opa_policies: {
          prompt: "Rego policies",
          description: "Rego policies by file name",
          type: "hash",
          optional: true,
          default: {},
        },
        server_jwt: textInput("Server token", "The token that the node shows the broker", ".", 2_048, {
          optional: true,
          default: "",
        }),
        ssldir: textInput("Folder", "Where certificate and key are kept", ".", 500, { optional: true }),
        token: optionalToken,
      },
      output: { message },
    }),
    action("gen25519", "Make an ed25519 key and prove it by signing a nonce", {
      display: "always",
      input: {
        nonce: textInput("Nonce", "Text to sign with the new key", ".", 64, { default: "" }),
        token,
      },
      output: {
        directory: output("Directory", "string", "Folder in which the key lies", ""),
        public_key: output("Public Key", "string", "The new public key, in hex", ""),
        signature: output("Signature", "string", "Signature over the nonce, in hex", ""),
      },
    }),
    action("gencsr", "Make a certificate signing request", {
      display: "always",
      input: {
        C: textInput("Country", "Two letters", "^[A-Z]{2}$", 2, { optional: true }),
        L: subjectPart("Place", "Town or city"),
        O: subjectPart("Organization", "Name of the organization"),
        OU: subjectPart("Unit", "Part of the organization"),
        ST: subjectPart("State", "State or province"),
        cn: textInput(
          "Common name",
          "Name that the certificate is for",
          "^(([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]).)*([A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9])$",
          80,
          { optional: true },
        ),
        token,
      },
      output: {
        csr: output("CSR", "string", "The signing request, PEM"),
        public_key: output("Public Key", "string", "The key that made the request, PEM"),
        ssldir: output("SSL Dir", "string", "Folder in which the node keeps its certificates"),
      },
    }),
    action("jwt", "Fetch the provisioning token that the node holds", {
      display: "always",
      input: { token },
      output: {
        ecdh_public: output("ECDH Public Key", "string", "The node's key for agreeing on secrets", ""),
        jwt: output("JWT Token", "string", "The node's provisioning token", ""),
      },
    }),
    action("reprovision", "Send a running node back to be provisioned again", {
      display: "always",
      input: { token },
      output: { message },
    }),
    action("restart", "Restart a node", {
      display: "failed",
      input: {
        splay: {
          prompt: "Splay",
          description: "Longest random wait before the restart, in seconds",
          type: "number",
          optional: true,
        },
        token,
      },
      output: { message },
    }),
    action("release_update", "Replace the node's program by another release and restart it", {
      display: "always",
      input: {
        repository: textInput("Repository", "URL from which releases are fetched", "^http(s*)://", 512, {
          default: "",
        }),
        token,
        version: textInput("Version", "Which release", ".+", 32, { default: "" }),
      },
      output: { message },
    }),
    action("shutdown", "Stop a node", { display: "failed", input: { token }, output: { message } }),
  ],
);
