/**
 * The options of a connection string, by the names of MongoDB's connection string specification (options table of
 * uri-options.md). Each is taken as it is given and wins over Tombolo's own, or is refused by name where what Tombolo
 * promises needs another value; none is overridden without a word.
 */
const taken: readonly string[] = [
  'appName', 'authMechanism', 'authMechanismProperties', 'authSource', 'compressors', 'connectTimeoutMS', 'directConnection',
  'heartbeatFrequencyMS', 'localThresholdMS', 'maxConnecting', 'maxIdleTimeMS', 'minPoolSize', 'proxyHost', 'proxyPassword',
  // The driver's own, of the pace at which it looks for a primary.
  'minHeartbeatFrequencyMS',
  'proxyPort', 'proxyUsername', 'replicaSet', 'retryReads', 'serverMonitoringMode', 'serverSelectionTimeoutMS',
  'srvMaxHosts', 'srvServiceName', 'ssl', 'tls', 'tlsAllowInvalidCertificates', 'tlsAllowInvalidHostnames', 'tlsCAFile', 'tlsCRLFile',
  'tlsCertificateKeyFile', 'tlsCertificateKeyFilePassword', 'tlsInsecure', 'waitQueueTimeoutMS', 'zlibCompressionLevel',
];

/** Reads are given three quarters of the pool (read-share.ts): of fewer, nothing would be left for the feed and for writes. */
const poolSizeMin = 8;

/** A change stream with nothing to tell answers every 80 ms, and later from afar or under load. */
const silenceMsMin = 500;

interface Demand {
  isKept(value: string): boolean;
  readonly because: string;
}

const never = () => false;
const perResource: Demand = {
  isKept: (value) => value === 'primary',
  because: 'which members are read from is declared by each resource (reads.preference); elsewhere a write would not see what it read',
};
const durable: Demand = {
  isKept: (value) => value === 'true',
  because: 'a write is answered when a majority has it in its journal',
};
const bounded: Demand = { isKept: never, because: 'each request has its own deadline, and what is done of a write must be known' };

/** Where only one value, or none, is right; the names in lower case, as they are compared. */
const demanded: ReadonlyMap<string, Demand> = new Map(Object.entries({
  w: { isKept: (value) => value === 'majority', because: 'a write that a majority does not have may be lost in an election' },
  journal: durable,
  j: durable,
  fsync: { isKept: never, because: 'a write is answered when a majority has it in its journal' },
  wtimeoutMS: bounded,
  wtimeout: bounded,
  timeoutMS: bounded,
  readConcernLevel: {
    isKept: (value) => value === 'majority',
    because: 'what an election takes back would stay in caches; a resource may declare reads.concern "local"',
  },
  readPreference: perResource,
  readPreferenceTags: { ...perResource, isKept: never },
  maxStalenessSeconds: { isKept: never, because: 'each answer states its position, and a member that is behind is waited for' },
  retryWrites: { isKept: (value) => value === 'true', because: 'a write that meets an election would be of unknown outcome' },
  loadBalanced: { isKept: (value) => value === 'false', because: 'the members of the replica set have to be known' },
  socketTimeoutMS: {
    isKept: (value) => Number(value) === 0 || Number(value) >= silenceMsMin,
    because: `under ${silenceMsMin} ms the feed, which is silent for some time where nothing happens, would break each time`,
  },
  maxPoolSize: {
    isKept: (value) => Number(value) === 0 || Number(value) >= poolSizeMin,
    because: `of fewer than ${poolSizeMin} connections slow reads would leave none for writes and the feed`,
  },
} satisfies Record<string, Demand>).map(([name, demand]) => [name.toLowerCase(), demand]));

const takenNames: ReadonlySet<string> = new Set(taken.map((name) => name.toLowerCase()));

export interface UriOptions {
  /** The names of what the connection string decides, in lower case: they are compared without case. */
  readonly given: ReadonlySet<string>;
  /** One sentence for each option that is refused. */
  readonly problems: readonly string[];
}

export function toUriOptions(uri: string): UriOptions {
  const options = [...new URLSearchParams(/\?(.*)$/s.exec(uri)?.[1] ?? '')];
  return { given: new Set(options.map(([name]) => name.toLowerCase())), problems: options.flatMap(toProblem) };
}

function toProblem([name, value]: readonly [string, string]): readonly string[] {
  const key = name.toLowerCase();
  if (takenNames.has(key)) return [];
  const demand = demanded.get(key);
  if (demand === undefined) return [`MONGODB_URI: ${name} is no option of a connection string that Tombolo knows; leave it out`];
  return demand.isKept(value) ? [] : [`MONGODB_URI: ${name}=${value} is refused: ${demand.because}; leave it out`];
}
