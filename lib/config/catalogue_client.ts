import { boolean, choice, commaList, integer, lineList, path, pathList, text } from "./setting.ts";

/** Keys of clients. */
export const clientSettings = {
  libdir: pathList("Folders with DDLs"),
  discovery_timeout: integer(2, "Seconds to wait for nodes while discovering"),
  default_discovery_method: text("mc", "How nodes are found where no flag says so"),
  default_discovery_options: lineList("Option of the discovery method, key=value; may be repeated"),
  rpclimitmethod: choice(["first", "random"], "first", "Which nodes are taken under a limit"),
  "plugin.choria.discovery.broadcast.windowed_timeout": boolean(false, "End discovery once answers stop coming"),
  "plugin.choria.discovery.external.command": path("Command that finds nodes"),
  "plugin.choria.discovery.inventory.source": path("File that lists nodes"),
  "plugin.choria.require_client_filter": boolean(false, "Refuse requests without a filter"),
  "plugin.choria.security.request_signer.service": boolean(false, "Have requests signed by the aaa_signer service"),
  "plugin.choria.security.request_signer.url": text("", "Have requests signed at this URL"),
  "plugin.login.aaasvc.login.url": commaList("", "URLs of login services"),
  "plugin.choria.services.registry.cache": path("Folder of DDLs fetched from the registry", { env: "CHORIA_REGISTRY" }),
} as const;
