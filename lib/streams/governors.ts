import {
  DiscardPolicy,
  type JetStreamManager,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StreamInfo,
} from "@nats-io/jetstream";
import type { Connection } from "../connector/mod.ts";
import { showUtf8 } from "../std/mod.ts";
import { findStream } from "./find.ts";
import { governorStreamName, governorSubject } from "./governor.ts";
import { duplicateWindow } from "./managed.ts";
import { type MessageQuery, readMessage } from "./messages.ts";

/** What a governor allows. */
export interface GovernorSettings {
  name: string;
  /** How many may hold a slot at a time. */
  capacity: number;
  /** Milliseconds after which a slot that nobody gave back is free again; 0 for never. */
  expires: number;
  /** @default 1 */
  replicas?: number;
}

/** A governor as it stands. */
export interface GovernorStatus extends Required<GovernorSettings> {
  /** How many slots are taken. */
  active: number;
}

/** A slot that somebody holds. */
export interface GovernorLease {
  sequence: number;
  /** Who took it. */
  holder: string;
  /** When, in milliseconds since the epoch. */
  since: number;
}

const prefix = "GOVERNOR_";
/** Most slots that are listed; a governor has a few dozen. */
const mostLeases = 10_000;

/** Governors of a broker: made, changed, looked at and removed. Needs the permission to administer streams. */
export class Governors {
  readonly #connection: Pick<Connection, "nats">;
  readonly #collective: string;

  /** @param collective Whose members may ask for slots. */
  constructor(connection: Pick<Connection, "nats">, collective: string) {
    this.#connection = connection;
    this.#collective = collective;
  }

  /** Names of all governors, sorted. */
  async names(): Promise<string[]> {
    const manager = await this.#manager();
    const names: string[] = [];
    for await (const name of manager.streams.names()) {
      if (name.startsWith(prefix)) names.push(name.slice(prefix.length));
    }
    return names.sort();
  }

  /** A governor; undefined where there is none of that name. */
  async find(name: string): Promise<GovernorStatus | undefined> {
    const info = await this.#info(name);
    return info === undefined ? undefined : statusOf(name, info);
  }

  /** Make a governor, or change what it allows. */
  async save(settings: GovernorSettings): Promise<void> {
    const { name, capacity, expires, replicas = 1 } = settings;
    const manager = await this.#manager();
    const present = await this.#info(name);
    const changes = {
      max_msgs: capacity,
      max_age: expires * 1e6,
      num_replicas: replicas,
      duplicate_window: duplicateWindow(expires),
    };
    if (present !== undefined) {
      await manager.streams.update(governorStreamName(name), { ...present.config, ...changes });
      return;
    }
    await manager.streams.add({
      name: governorStreamName(name),
      description: `Concurrency Governor ${name}`,
      subjects: [governorSubject(this.#collective, name)],
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      discard: DiscardPolicy.New,
      allow_direct: false,
      ...changes,
    });
  }

  /** Remove a governor with its slots. @returns whether there was one. */
  async remove(name: string): Promise<boolean> {
    if ((await this.#info(name)) === undefined) return false;
    return (await this.#manager()).streams.delete(governorStreamName(name));
  }

  /** Who holds slots, the oldest first. */
  async leases(name: string): Promise<GovernorLease[]> {
    const manager = await this.#manager();
    const info = await this.#info(name);
    if (info === undefined) return [];
    const subject = info.config.subjects[0] ?? ">";
    const leases: GovernorLease[] = [];
    for (let sequence = info.state.first_seq; leases.length < mostLeases; ) {
      // The next one that is there: long since given back are those between the oldest and the last.
      const lease = await readLease(manager, name, { seq: sequence, next_by_subj: subject });
      if (lease === undefined) break;
      leases.push(lease);
      sequence = lease.sequence + 1;
    }
    return leases;
  }

  /** Take a slot from its holder. @returns the holder; undefined where nobody held it. */
  async evict(name: string, sequence: number): Promise<string | undefined> {
    const manager = await this.#manager();
    const lease = await readLease(manager, name, { seq: sequence });
    if (lease === undefined) return undefined;
    await manager.streams.deleteMessage(governorStreamName(name), sequence, false);
    return lease.holder;
  }

  /** Free every slot. @returns how many were taken. */
  async reset(name: string): Promise<number> {
    return (await (await this.#manager()).streams.purge(governorStreamName(name))).purged;
  }

  #manager(): Promise<JetStreamManager> {
    return jetstreamManager(this.#connection.nats, { checkAPI: false });
  }

  async #info(name: string): Promise<StreamInfo | undefined> {
    return findStream(await this.#manager(), governorStreamName(name));
  }
}

function statusOf(name: string, { config, state }: StreamInfo): GovernorStatus {
  return {
    name,
    capacity: config.max_msgs,
    expires: config.max_age / 1e6,
    replicas: config.num_replicas,
    active: state.messages,
  };
}

async function readLease(
  manager: JetStreamManager,
  name: string,
  query: MessageQuery,
): Promise<GovernorLease | undefined> {
  const message = await readMessage(manager, governorStreamName(name), query);
  if (message === undefined) return undefined;
  return { sequence: message.sequence, holder: showUtf8(message.data), since: Date.parse(message.time) };
}
