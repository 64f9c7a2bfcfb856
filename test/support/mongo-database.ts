/**
 * A database of its own for a test: on the deployment that `MONGODB_URI` names, or on a test server in this process.
 * What a test demands of the server itself (members, faults, a small log) the test server alone gives, so such a
 * test runs on one of its own, whatever `MONGODB_URI` says.
 */
import { type Db, MongoClient } from 'mongodb';
import { type MongodOptions, type Server, startMongod } from '../mongod/mongod.ts';
import { givenUri, newDatabaseName, withDatabase } from './given-deployment.ts';

export interface MongoDatabase {
  /** A connection string whose path names the database. */
  readonly uri: string;
  /** The database as a plain driver of another program has it. */
  readonly foreign: Db;
  remove(): Promise<void>;
}

/** A database on a server that the test controls. */
export interface ControlledDatabase extends MongoDatabase {
  readonly server: Server;
}

export function openMongoDatabase(): Promise<MongoDatabase> {
  const given = givenUri();
  return given === undefined ? openControlledDatabase() : openGivenDatabase(given);
}

export async function openControlledDatabase(options: MongodOptions = {}): Promise<ControlledDatabase> {
  const server = await startMongod(options);
  const uri = withDatabase(server.uri, newDatabaseName());
  const client = new MongoClient(uri);
  return {
    uri, server, foreign: client.db(),
    async remove() {
      await client.close();
      await server.close();
      if (server.errors.length > 0) throw new AggregateError(server.errors, 'the test server has a bug');
    },
  };
}

async function openGivenDatabase(given: string): Promise<MongoDatabase> {
  const uri = withDatabase(given, newDatabaseName());
  const client = new MongoClient(uri);
  return {
    uri, foreign: client.db(),
    async remove() {
      await client.db().dropDatabase();
      await client.close();
    },
  };
}
