/** The settings of `npm run edge`: those of the Worker, over what `wrangler.toml` sets, and where it listens. */
import { offered } from '../../shared/resources/plans.ts';
import { readEdgeSettings } from '../../shared/settings/edge-settings.ts';
import { SettingsReader, type Variables } from '../../shared/settings/reader.ts';
import { declaredVariables } from '../dev/development.ts';
import { dataDirDefault } from '../settings.ts';

export interface EdgeHostSettings {
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  /** What kept answers may take on disk; past it the cache begins anew. */
  readonly cacheBytesMax: number;
  /** Variables and secrets of the Worker. */
  readonly variables: Readonly<Record<string, string>>;
}

const cacheBytesDefault = 1_073_741_824;
/** A cache bounded below this would begin anew all the time. */
const cacheBytesLeast = 16_777_216;

/** Throws one `SettingsError` that names everything wrong. */
export function mustEdgeHostSettings(given: Variables, project: string): EdgeHostSettings {
  const all = { ...declaredVariables(project), ...given };
  const read = new Set<string>();
  const reader = new SettingsReader(new Proxy(all, { get: (target, name: string) => (read.add(name), target[name]) }));
  const { environment } = readEdgeSettings(reader, offered.byName);
  // What the Worker reads, and nothing else: one file of variables may have the origin's secrets too.
  const variables = Object.fromEntries([...read].flatMap((name) => (all[name] === undefined ? [] : [[name, String(all[name])] as const])));
  if (environment !== 'production') reader.complain('TOMBOLO_ENV', 'is development; this command is for production, `npm start` develops');
  const settings: EdgeHostSettings = {
    variables,
    dataDir: reader.optional('TOMBOLO_DATA_DIR') || dataDirDefault,
    host: reader.optional('TOMBOLO_EDGE_HOST') || '127.0.0.1',
    port: reader.count('TOMBOLO_EDGE_PORT', { fallback: 8787, min: 1, max: 65_535, what: 'must be a port from 1 to 65535' }),
    cacheBytesMax: reader.count('TOMBOLO_EDGE_CACHE_BYTES_MAX', {
      fallback: cacheBytesDefault, min: cacheBytesLeast, max: Number.MAX_SAFE_INTEGER,
      what: `must be a whole number of bytes, ${cacheBytesLeast} or more`,
    }),
  };
  reader.mustBeRight();
  return settings;
}
