import { formatTable } from "../../../../lib/cli/mod.ts";
import type { Fields } from "../../../../lib/monitor/mod.ts";
import { formatBytes, formatCount } from "../../../../lib/std/mod.ts";
import { clusterOf, nameOf, type Report } from "./report.ts";

/** `choria broker server report routes`. */
export const routesReport: Report = {
  name: "routes",
  aliases: ["route"],
  description: "Show the connections between the brokers of a cluster.",
  topic: "ROUTEZ",
  orders: { server: nameOf, cluster: clusterOf },
  show(answers) {
    const routes = answers.flatMap(({ server, data }) => data.list("routes").map((route) => ({ server, route })));
    const rows = routes.map(({ server, route }) => [
      server.text("name"),
      server.text("cluster"),
      route.text("remote_name"),
      route.text("account"),
      addressOf(route),
      String(route.number("rid")),
      route.text("uptime"),
      route.text("rtt"),
      route.number("subscriptions"),
      formatBytes(route.number("in_bytes")),
      formatBytes(route.number("out_bytes")),
    ]);
    const sum = (key: string) => routes.reduce((total, { route }) => total + route.number(key), 0);
    const count = (of: (one: (typeof routes)[number]) => string) => new Set(routes.map(of)).size;
    return formatTable({
      title: "Cluster Report",
      head: [
        ...["Server", "Cluster", "Name", "Account", "Address", "ID"],
        ...["Uptime", "RTT", "Subs", "Bytes In", "Bytes Out"],
      ],
      rows,
      footer: [
        count(({ server }) => server.text("name")),
        count(({ server }) => server.text("cluster")),
        ...["", ""],
        routes.length,
        ...["", "", ""],
        sum("subscriptions"),
        formatBytes(sum("in_bytes")),
        formatBytes(sum("out_bytes")),
      ],
    });
  },
};

function addressOf(connection: Fields): string {
  const ip = connection.text("ip");
  return ip === "" ? "" : `${ip.includes(":") ? `[${ip}]` : ip}:${connection.number("port")}`;
}

/** `choria broker server report gateways`. */
export const gatewaysReport: Report = {
  name: "gateways",
  aliases: ["super", "gateway"],
  description: "Show the connections between clusters.",
  topic: "GATEWAYZ",
  body: () => ({ accounts: true }),
  orders: { cluster: clusterOf, server: nameOf },
  show(answers) {
    const links = answers.flatMap(({ server, data }) => [
      ...data.map("outbound_gateways").map(([name, link]) => ({ server, name, kind: "Outbound", link })),
      ...Object.keys(data.below("inbound_gateways").document).flatMap((name) =>
        data
          .below("inbound_gateways")
          .list(name)
          .map((link) => ({ server, name, kind: "Inbound", link })),
      ),
    ]);
    const rows = links.map(({ server, name, kind, link }) => {
      const connection = link.below("connection");
      return [
        server.text("name"),
        name,
        connection.number("port"),
        kind,
        addressOf(connection),
        String(connection.number("cid")),
        connection.text("uptime"),
        connection.text("rtt"),
        formatBytes(bytesOf(connection)),
        link.list("accounts").length,
      ];
    });
    const bytes = links.reduce((sum, { link }) => sum + bytesOf(link.below("connection")), 0);
    return formatTable({
      title: "Super Cluster Report",
      head: ["Server", "Name", "Port", "Kind", "Connection", "ID", "Uptime", "RTT", "Bytes", "Accounts"],
      rows,
      footer: [
        String(answers.length),
        String(new Set(links.map(({ name }) => name)).size),
        ...["", ""],
        String(links.length),
        ...["", "", ""],
        formatBytes(bytes),
        "",
      ],
    });
  },
};

function bytesOf(connection: Fields): number {
  return connection.number("in_bytes") + connection.number("out_bytes");
}

/** `choria broker server report leafnodes`. */
export const leafnodesReport: Report = {
  name: "leafnodes",
  aliases: ["leaf", "leafz"],
  description: "Show the connections of leaf nodes.",
  topic: "LEAFZ",
  body: ({ account }) => (account === undefined ? {} : { account }),
  hasAccount: true,
  orders: { server: nameOf },
  show(answers) {
    const rows = answers.flatMap(({ server, data }) =>
      data
        .list("leafs")
        .map((leaf) => [
          server.text("name"),
          leaf.text("name"),
          leaf.text("account"),
          addressOf(leaf),
          leaf.text("rtt"),
          formatCount(leaf.number("in_msgs")),
          formatCount(leaf.number("out_msgs")),
          formatBytes(leaf.number("in_bytes")),
          formatBytes(leaf.number("out_bytes")),
          leaf.number("subscriptions"),
          leaf.text("compression"),
          String(leaf.flag("is_spoke")),
        ]),
    );
    const head = ["Server", "Name", "Account", "Address", "RTT", "Msgs In", "Msgs Out", "Bytes In", "Bytes Out"];
    return formatTable({ title: "Leafnode Report", head: [...head, "Subs", "Compressed", "Spoke"], rows });
  },
};
