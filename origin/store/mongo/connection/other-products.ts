/**
 * Products that speak MongoDB's protocol and are not MongoDB: known by the names of their hosts, as drivers know them, or by
 * what only they say in `hello` and `buildInfo`. Tombolo leans on transactions, change streams with images and validators as
 * MongoDB has them, and would break its promises elsewhere one by one; so it says so before anything else.
 */
import type { Document } from 'mongodb';

const hostNames: readonly (readonly [RegExp, string])[] = [
  [/\.docdb(-elastic)?\.amazonaws\.com$/i, 'Amazon DocumentDB'],
  [/\.cosmos\.azure\.com$/i, 'Azure Cosmos DB'],
  [/\.firestore\.goog$/i, 'Google Firestore'],
];

/** By the hosts of a connection string, before anybody is asked. */
export function productOfUri(uri: string): string | undefined {
  const hosts = /^mongodb(?:\+srv)?:\/\/(?:[^@/]*@)?([^/?]+)/.exec(uri)?.[1] ?? '';
  return productOfHosts(hosts.split(','));
}

/** Also where a tunnel or another name in DNS hides the host. */
export function productOfServer(hello: Document, buildInfo: Document): string | undefined {
  const hosts: unknown = hello['hosts'];
  const told = [...(Array.isArray(hosts) ? hosts : []), hello['me'], hello['primary']];
  const named = productOfHosts(told.filter((host) => typeof host === 'string'));
  if (named !== undefined) return named;
  if (Object.keys(buildInfo).some((name) => name.startsWith('ferretdb'))) return 'FerretDB';
  // The type that its serializer puts into each answer, and the one name of its sets.
  return '_t' in buildInfo || hello['setName'] === 'globaldb' ? 'Azure Cosmos DB' : undefined;
}

export function toProductProblem(product: string): string {
  const lack = `this is ${product}, which speaks MongoDB's protocol and is not MongoDB`;
  const needs = 'Tombolo leans on transactions, change streams with images and validators as MongoDB itself has them';
  return `${lack}; ${needs}; take a replica set of MongoDB 7.0 or newer, your own or on Atlas`;
}

function productOfHosts(hosts: readonly string[]): string | undefined {
  const names = hosts.map((host) => host.replace(/:\d+$/, ''));
  return hostNames.find(([pattern]) => names.some((name) => pattern.test(name)))?.[1];
}
