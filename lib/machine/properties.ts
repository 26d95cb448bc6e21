/** What a property may hold; a `!` at the end says that the watcher cannot be without it. */
export type PropertyType = "text" | "texts" | "flag" | "number" | "duration" | "table" | "value";

/** The properties of every kind of watcher. */
export const watcherProperties = {
  archive: {
    source: "text!",
    creates: "text!",
    target: "text!",
    checksum: "text!",
    verify: "text",
    verify_checksum: "text",
    username: "text",
    password: "text",
    insecure: "flag",
    governor: "text",
    governor_timeout: "duration",
    timeout: "duration",
  },
  ccm_manifest: {
    manifest_file: "text",
    manifest: "value",
    noop: "flag",
    monitor_only: "flag",
    hiera: "text",
    nats_context: "text",
    governor: "text",
    governor_timeout: "duration",
    timeout: "duration",
  },
  exec: {
    command: "text!",
    environment: "texts",
    governor: "text",
    governor_timeout: "duration",
    parse_as_data: "flag",
    suppress_success_announce: "flag",
    gather_initial_state: "flag",
    disown: "flag",
    timeout: "duration",
  },
  expression: { success_when: "text", fail_when: "text" },
  file: {
    path: "text!",
    gather_initial_state: "flag",
    contents: "text",
    owner: "text",
    group: "text",
    mode: "text",
  },
  gossip: { subject: "text", payload: "text", ttl_seconds: "number", registration: "value" },
  httpswitch: { on_when: "texts", off_when: "texts", disable_when: "texts", annotations: "table" },
  kv: {
    bucket: "text!",
    key: "text!",
    mode: "text",
    bucket_prefix: "flag",
    on_successful_get: "flag",
    on_matching_update: "flag",
    republish_trigger: "text",
    hiera_config: "flag",
    store_key: "text",
    query: "text",
  },
  metric: {
    command: "text!",
    interval: "duration",
    labels: "table",
    skip_prometheus: "flag",
    store: "flag",
    http: "flag",
    graphite_host: "text",
    graphite_port: "text",
    graphite_prefix: "text",
  },
  nagios: {
    plugin: "text",
    builtin: "text",
    gossfile: "text",
    timeout: "duration",
    annotations: "table",
    last_message: "duration",
    pubcert_expire: "duration",
    token_expire: "duration",
  },
  plugins: {
    data_item: "text!",
    purge_unknown: "flag",
    plugin_manage_interval: "duration",
    public_key: "text",
    plugins_directory: "text",
    manager_machine_prefix: "text",
  },
  schedule: { schedules: "texts!", duration: "duration", start_splay: "duration", skip_trigger_on_reenter: "flag" },
  timer: { timer: "duration", splay: "flag" },
} as const satisfies Readonly<Record<string, Readonly<Record<string, PropertyType | `${PropertyType}!`>>>>;

/** Names of the kinds of watchers. */
export type WatcherType = keyof typeof watcherProperties;

/** Names of the properties of a kind; undefined for a kind that is not known. */
export function propertyNames(type: string): string[] | undefined {
  return Object.hasOwn(watcherProperties, type) ? Object.keys(watcherProperties[type as WatcherType]) : undefined;
}
