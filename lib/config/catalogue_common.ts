import { boolean, choice, commaList, duration, integer, logPath, path, text } from "./setting.ts";

/** Keys that every role reads. */
export const commonSettings = {
  identity: text("", "Name of this node on the network; by default the host's full name"),
  collectives: commaList("", "Collectives this node belongs to"),
  main_collective: text("", "The collective used where none is named; by default the first one"),
  loglevel: choice(["debug", "info", "warn", "error", "fatal"], "info", "How much is logged"),
  logfile: logPath("stdout", "Where logs go: a file, stdout, stderr or discard"),
  ttl: integer(60, "Seconds for which a request is valid"),
  color: boolean(true, "Colour the terminal's output"),
  soft_shutdown_timeout: integer(2, "Seconds a process has to stop in good order"),
  "plugin.security.provider": text("choria", "Security provider; choria is the one there is"),
  "plugin.security.choria.token_file": path("File with this node's token"),
  "plugin.security.choria.seed_file": path("File with this node's ed25519 seed"),
  "plugin.security.choria.sign_replies": boolean(true, "Sign replies with the server's key"),
  "plugin.security.choria.trusted_signers": commaList("", "Public keys that sign tokens where no issuers are set"),
  "plugin.security.choria.certificate": path("TLS certificate, PEM"),
  "plugin.security.choria.key": path("Key of the TLS certificate, PEM"),
  "plugin.security.choria.ca": path("Certificate authorities trusted for TLS; without any, TLS only encrypts"),
  "plugin.security.issuer.names": commaList("", "Organizations whose tokens are accepted"),
  "plugin.choria.middleware_hosts": commaList("", "Brokers, as host:port or nats://host:port"),
  "plugin.choria.use_srv": boolean(true, "Look brokers up in DNS where none are configured"),
  "plugin.choria.srv_domain": text("", "Domain of the SRV records", { env: "CHORIA_SRV_DOMAIN" }),
  "plugin.choria.network.connect_timeout": duration("10s", "Time for one attempt to connect"),
  "plugin.nats.user": text("", "NATS user name", { env: "MCOLLECTIVE_NATS_USERNAME" }),
  "plugin.nats.pass": text("", "NATS password", { env: "MCOLLECTIVE_NATS_PASSWORD" }),
  "plugin.choria.network.system.user": text("", "Name of the broker's system user"),
  "plugin.choria.network.system.password": text("", "Password of the broker's system user"),
  "plugin.choria.security.accept_unverified_replies": boolean(
    false,
    "Accept replies whose signature or token does not verify, as older clients do",
  ),
} as const;
