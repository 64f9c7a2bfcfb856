/** The settings of one process: those of both sides, and how it meets the network. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import { offered } from '../../shared/resources/plans.ts';
import { readEdgeSettings } from '../../shared/settings/edge-settings.ts';
import { SettingsReader, type Variables } from '../../shared/settings/reader.ts';
import { redisVariables } from '../../shared/settings/redis.ts';
import { mustBothBeRight } from '../both-settings.ts';
import { readSettings, type Settings } from '../settings.ts';

export interface ServeSettings {
  readonly settings: Settings;
  /** What the edge reads its settings from. */
  readonly edgeVariables: Readonly<Record<string, unknown>>;
  /** Proxies whose `X-Forwarded-For` is believed; absent: there are none. */
  readonly proxies: BlockList | undefined;
  /** Requests of one address in ten seconds, before any of them is counted by a plan. */
  readonly floodMax: number;
  /** Serves HTTPS, and HTTP/2 to whoever offers it. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
}

/** What a network may ask of one process, the same as of the Worker (`wrangler.toml`). */
const floodMaxDefault = 1_000;

/** No request goes there: the edge asks its origin in this process. */
const noUrl = 'https://origin.tombolo.invalid';

/** Throws one `SettingsError` that names everything wrong. */
export function mustServeSettings(given: Variables): ServeSettings {
  const edgeVariables = { ...ownOf(given), TOMBOLO_ORIGIN_URL: noUrl };
  const edge = new SettingsReader(edgeVariables);
  readEdgeSettings(edge, offered.byName);
  const origin = new SettingsReader(given);
  const settings = readSettings(origin, 'one process');
  const network = readNetwork(origin);
  mustBothBeRight(origin, edge);
  return { settings, edgeVariables, ...network };
}

function ownOf(given: Variables): Readonly<Record<string, unknown>> {
  const others: readonly string[] = redisVariables;
  return Object.fromEntries(Object.entries(given).filter(([name]) => name.startsWith('TOMBOLO_') || others.includes(name)));
}

/** What is set of proxies, floods and TLS. */
export function readNetwork(reader: SettingsReader): Pick<ServeSettings, 'proxies' | 'floodMax' | 'tls'> {
  const floodMax = reader.count('TOMBOLO_FLOOD_MAX', {
    fallback: floodMaxDefault, min: 1, max: Number.MAX_SAFE_INTEGER, what: 'must be a whole number of requests, 1 or more',
  });
  return { proxies: readProxies(reader), floodMax, tls: readTls(reader) };
}

function readProxies(reader: SettingsReader): BlockList | undefined {
  const named = reader.optional('TOMBOLO_PROXIES').split(',').map((part) => part.trim()).filter((part) => part !== '');
  const proxies = new BlockList();
  if (!named.every((proxy) => isAdded(proxies, proxy))) {
    reader.complain('TOMBOLO_PROXIES', 'must be IP addresses or networks as 10.0.0.0/8, comma between');
  }
  return named.length === 0 ? undefined : proxies;
}

function isAdded(proxies: BlockList, proxy: string): boolean {
  const [address = '', prefix, ...rest] = proxy.split('/');
  const [family, bitsMax] = isIP(address) === 6 ? (['ipv6', 128] as const) : (['ipv4', 32] as const);
  if (isIP(address) === 0 || address.includes('%') || rest.length > 0) return false;
  if (prefix === undefined) proxies.addAddress(address, family);
  else if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > bitsMax) return false;
  else proxies.addSubnet(address, Number(prefix), family);
  return true;
}

function readTls(reader: SettingsReader): ServeSettings['tls'] {
  const [certificate, key] = [reader.optional('TOMBOLO_TLS_CERTIFICATE'), reader.optional('TOMBOLO_TLS_KEY')];
  if (certificate === '' && key === '') return undefined;
  const [cert, secret] = [readPem(reader, 'TOMBOLO_TLS_CERTIFICATE', certificate), readPem(reader, 'TOMBOLO_TLS_KEY', key)];
  if (cert === undefined || secret === undefined) return undefined;
  checkPair(reader, cert, secret);
  return { cert, key: secret };
}

function readPem(reader: SettingsReader, variable: string, path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    reader.complain(variable, 'must be the path of a PEM file that can be read; certificate and key are set together');
    return undefined;
  }
}

/** A server that was given what it cannot use would say so of no setting, and to some clients alone. */
function checkPair(reader: SettingsReader, cert: string, secret: string): void {
  const certificate = parsed(() => new X509Certificate(cert));
  const key = parsed(() => createPrivateKey(secret));
  if (certificate === undefined) reader.complain('TOMBOLO_TLS_CERTIFICATE', 'the file holds no certificate in PEM');
  if (key === undefined) reader.complain('TOMBOLO_TLS_KEY', 'the file holds no private key in PEM without a passphrase');
  if (certificate === undefined || key === undefined) return;
  if (!certificate.checkPrivateKey(key)) reader.complain('TOMBOLO_TLS_KEY', 'is not the key of the certificate, the first in its file');
}

function parsed<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
