/** The errors that a person meets first, at a start: what is the matter and what to do, instead of the driver's words alone. */
import { MongoError, MongoServerError } from 'mongodb';
import { StoreNotReady } from '../../not-ready.ts';
import { toDatabaseName } from './client.ts';
import { codeOf, codes, isPassing, toStoreFault } from './errors.ts';
import { mendings } from './server-codes.ts';

/** Nothing else is known by a name or a code of its own. */
export function toStartError(error: unknown, uri: string): unknown {
  const databaseName = toDatabaseName(uri);
  const problem = toMistake(error);
  if (problem !== undefined) return new StoreNotReady(databaseName, [problem]);
  if (!isPassing(error)) return toStoreFault(error);
  if (error instanceof MongoServerError) {
    const said = `the server cannot do it now (${error.message}); it passes, and can be tried again`;
    return new StoreNotReady(databaseName, [said], { isPassing: true });
  }
  // A server that expects the other of the two says nothing, or hangs up.
  const isTls = /[?&](tls|ssl)=true/.test(uri) || uri.startsWith('mongodb+srv:');
  const tls = isTls ? 'does the server speak TLS' : 'does the server demand tls=true';
  const questions = `is mongod running, is MONGODB_URI right, ${tls}, does the network let us through?`;
  return new StoreNotReady(databaseName, [`no primary answered (${textsOf(error).join('; ')}); ${questions}`], { isPassing: true });
}

/** What somebody has to mend. */
function toMistake(error: unknown): string | undefined {
  if (!(error instanceof MongoError)) return undefined;
  const said = textsOf(error).join('; ');
  if (codeOf(error) === codes.authenticationFailed || /Authentication failed/i.test(said)) {
    return `the server refuses the user or the password of MONGODB_URI (${error.message}); special characters in them are ` +
      'percent-encoded, and authSource=… names the database that the user is kept in, admin for most';
  }
  if (codeOf(error) === codes.unauthorized) {
    return `MONGODB_URI names no user, or one without rights (${error.message}); readWrite and dbAdmin on the database are enough`;
  }
  if (/ENOTFOUND|querySrv|EAI_AGAIN/.test(said)) {
    return `no host has the name in MONGODB_URI (${error.message}); is it spelt right, and does this machine's DNS know it?`;
  }
  if (/certificate|self[- ]signed|wrong version number|packet length|EPROTO|SSL|TLS/i.test(said)) {
    return `TLS could not be agreed (${said}); does the server speak TLS, or is tls=true too much, and is its certificate ` +
      'signed by an authority that tlsCAFile=… names?';
  }
  const mending = mendings.get(codeOf(error) ?? 0);
  return mending === undefined ? undefined : `the server refuses it (${mending.name}: ${said}); ${mending.todo}`;
}

/** The driver keeps what each server said to itself, below its own words. */
function textsOf(error: unknown, depth = 0): readonly string[] {
  if (!(error instanceof Error) || depth > causesMax) return [];
  const { reason, cause } = error as { readonly reason?: { readonly servers?: unknown }; readonly cause?: unknown };
  const servers: readonly { readonly error?: unknown }[] = reason?.servers instanceof Map ? [...reason.servers.values()] : [];
  return [...new Set([error.message, ...servers.flatMap((server) => textsOf(server.error, depth + 1)), ...textsOf(cause, depth + 1)])];
}

const causesMax = 4;
