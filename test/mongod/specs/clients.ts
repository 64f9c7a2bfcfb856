import { deserialize, serialize, type Document } from 'bson';
import { type CommandFailedEvent, type CommandStartedEvent, type CommandSucceededEvent, MongoClient, type MongoClientOptions } from 'mongodb';
import { heartbeatMs, heartbeatMsMin, serverSelectionMs } from './limits.ts';
import type { ClientDescription, Fields } from './schema.ts';

/** Waits are short: the tests close connections on purpose and the server is on this machine. */
const timing = {
  serverSelectionTimeoutMS: serverSelectionMs,
  heartbeatFrequencyMS: heartbeatMs,
  minHeartbeatFrequencyMS: heartbeatMsMin,
} as const satisfies MongoClientOptions;

/** The driver pings when it connects, which would be one connection too many for tests that count them. Not in its types. */
const withoutPing = { __skipPingOnConnect: true };

/** A suite's `uriOptions` are names of the connection string, which are also the driver's names. */
export function buildClient(uri: string, options: Fields = {}): MongoClient {
  return new MongoClient(uri, { ...timing, ...(options as MongoClientOptions) });
}

export type Observed = { readonly type: string; readonly commandName?: string; readonly databaseName?: string; readonly command?: Fields; readonly reply?: Fields };

/** A client of a test, and what was seen of it until `stop`. */
export type ObservedClient = {
  readonly client: MongoClient;
  readonly commandEvents: readonly Observed[];
  readonly cmapEvents: readonly Observed[];
  stop(): void;
};

export function buildObservedClient(uri: string, description: ClientDescription): ObservedClient {
  const client = buildClient(uri, { ...description.uriOptions, ...withoutPing, monitorCommands: true });
  const [commandEvents, cmapEvents]: [Observed[], Observed[]] = [[], []];
  const wanted = new Set(description.observeEvents ?? []);
  const hidden = new Set([...alwaysHidden, ...(description.observeSensitiveCommands ? [] : sensitive), ...(description.ignoreCommandMonitoringEvents ?? [])]);
  let observing = true;

  const record = (event: Observed) => {
    if (observing && wanted.has(event.type) && !hidden.has(event.commandName ?? '')) commandEvents.push(event);
  };
  client.on('commandStarted', event => record(toStarted(event)));
  client.on('commandSucceeded', event => record(toSucceeded(event)));
  client.on('commandFailed', event => record(toFailed(event)));
  for (const [type, name] of Object.entries(cmapNames)) {
    if (wanted.has(type)) client.on(name, () => void (observing && cmapEvents.push({ type })));
  }
  return { client, commandEvents, cmapEvents, stop: () => void (observing = false) };
}

const alwaysHidden = ['configureFailPoint'];

const sensitive = ['authenticate', 'saslStart', 'saslContinue', 'getnonce', 'createUser', 'updateUser', 'copydbgetnonce', 'copydbsaslstart', 'copydb'];

const cmapNames = {
  poolCreatedEvent: 'connectionPoolCreated',
  poolReadyEvent: 'connectionPoolReady',
  poolClearedEvent: 'connectionPoolCleared',
  poolClosedEvent: 'connectionPoolClosed',
  connectionCreatedEvent: 'connectionCreated',
  connectionReadyEvent: 'connectionReady',
  connectionClosedEvent: 'connectionClosed',
  connectionCheckOutStartedEvent: 'connectionCheckOutStarted',
  connectionCheckOutFailedEvent: 'connectionCheckOutFailed',
  connectionCheckedOutEvent: 'connectionCheckedOut',
  connectionCheckedInEvent: 'connectionCheckedIn',
} as const;

const toStarted = ({ commandName, databaseName, command }: CommandStartedEvent): Observed =>
  ({ type: 'commandStartedEvent', commandName, databaseName, command: toWire(command) });

const toSucceeded = ({ commandName, databaseName, reply }: CommandSucceededEvent): Observed =>
  ({ type: 'commandSucceededEvent', commandName, databaseName, ...(isReply(reply) ? { reply: toWire(reply) } : {}) });

const toFailed = ({ commandName, databaseName }: CommandFailedEvent): Observed => ({ type: 'commandFailedEvent', commandName, databaseName });

/**
 * The document as it goes over the wire. The driver passes its live object, changes some of its parts for the
 * next command (`readConcern`), and holds a sort or an index key as a Map: the bytes have neither trouble.
 */
const toWire = (document: Document): Fields => deserialize(serialize(document, { ignoreUndefined: true }));

const isReply = (reply: unknown): reply is Document => typeof reply === 'object' && reply !== null;
