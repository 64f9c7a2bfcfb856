/** Tests get a database each on whatever deployment is named, and its user stays who it was. */
import { expect, test } from 'bun:test';
import { MongoClient } from 'mongodb';
import { withDatabase } from './given-deployment.ts';

/** Who asks whom, and for what. */
function read(uri: string) {
  const { dbName, credentials, hosts, srvHost, replicaSet, directConnection, tls } = new MongoClient(uri).options;
  return {
    dbName, user: credentials?.username, source: credentials?.source, mechanism: credentials?.mechanism, hosts: hosts.map(String),
    srvHost, replicaSet, directConnection, tls,
  };
}

test.each([
  'mongodb://localhost',
  'mongodb://localhost/',
  'mongodb://a:1,b:2/?replicaSet=rs0',
  'mongodb://a:1/shop?directConnection=true&appName=x%2Fy',
  'mongodb://ann:p%40ss%2Fword@a:1,b:2',
  'mongodb://ann:word@a:1/shop?replicaSet=rs0',
  'mongodb://ann:word@a:1/shop?authSource=people',
  'mongodb://ann:word@a:1/?replicaSet=rs0&authsource=people',
  'mongodb://ann@a:1/?authMechanism=MONGODB-X509&tls=true',
])('%s', (uri) => {
  expect(read(withDatabase(uri, 'ours'))).toEqual({ ...read(uri), dbName: 'ours' });
});

test('where the users of `mongodb+srv` are is left to DNS', () => {
  expect(withDatabase('mongodb+srv://ann:word@cluster.example.org/shop?retryWrites=true', 'ours')).toBe(
    'mongodb+srv://ann:word@cluster.example.org/ours?retryWrites=true',
  );
});
