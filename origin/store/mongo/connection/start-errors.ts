/** The errors that a person meets first, at a start: what is the matter and what to do, instead of the driver's words alone. */
import { MongoError, MongoServerError } from 'mongodb';
import { StoreNotReady } from '../../not-ready.ts';
import { toDatabaseName } from './client.ts';
import { codeOf, codes, isPassing } from './errors.ts';
import { mendings } from './server-codes.ts';

/** What is neither the driver's nor of the network is a mistake in code and passes unchanged. */
export function toStartError(error: unknown, uri: string): unknown {
  const databaseName = toDatabaseName(uri);
  const problem = toMistake(error);
  if (problem !== undefined) return new StoreNotReady(databaseName, [problem]);
  if (!(error instanceof MongoError)) return error;
  if (!isPassing(error)) return new StoreNotReady(databaseName, [`the driver gives up: ${textsOf(error).join('; ')}`]);
  const problems = [error instanceof MongoServerError ? toLater(error) : toAway(error, uri)];
  return new StoreNotReady(databaseName, problems, { isPassing: true });
}

function toLater({ message }: MongoServerError): string {
  return `the server cannot do it now (${message}); it passes, and can be tried again`;
}

/** A server that expects the other of two ways to speak says nothing, or hangs up; one of another set is passed over. */
function toAway(error: MongoError, uri: string): string {
  const isTls = /[?&](tls|ssl)=true/i.test(uri) || uri.startsWith('mongodb+srv:');
  const tls = isTls ? 'does the server speak TLS' : 'does the server demand tls=true';
  const setName = /[?&]replicaSet=([^&]+)/i.exec(uri)?.[1];
  const set = setName === undefined ? '' : `is ${setName} the name of its replica set, `;
  const questions = `is mongod running, is MONGODB_URI right, ${set}${tls}, does the network let us through?`;
  return `no primary answered (${textsOf(error).join('; ')}); ${questions}`;
}

/** What somebody has to mend. */
function toMistake(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const said = textsOf(error).join('; ');
  // DNS and files fail in the runtime's own errors, which the driver passes on.
  if (/ENOTFOUND|ENODATA|ESERVFAIL|EAI_AGAIN/.test(said)) return toNameless(error);
  if (/ENOENT|EACCES/.test(said)) {
    return `a file that MONGODB_URI names cannot be read (${said}); tlsCAFile and its like are paths on this machine`;
  }
  if (!(error instanceof MongoError)) return undefined;
  return toRefusal(error, said) ?? toUnable(error, said);
}

function toNameless({ message }: Error): string {
  return message.includes('querySrv')
    ? `DNS has no SRV record for the host of MONGODB_URI (${message}); mongodb+srv:// is for names that have one, as Atlas gives them; ` +
      'is it spelt right, and does this machine\'s DNS know it? A plain host is named with mongodb://'
    : `no host has the name in MONGODB_URI (${message}); is it spelt right, and does this machine's DNS know it?`;
}

/** By what the server said. */
function toRefusal(error: MongoError, said: string): string | undefined {
  const code = codeOf(error);
  if (code === codes.authenticationFailed || /Authentication failed/i.test(said)) {
    return `the server refuses the user or the password of MONGODB_URI (${error.message}); special characters in them are ` +
      'percent-encoded, and authSource=… names the database that the user is kept in, admin for most';
  }
  if (code === codes.unauthorized) {
    return `MONGODB_URI names no user, or one without rights (${error.message}); readWrite and dbAdmin on the database are enough`;
  }
  const mending = mendings.get(code ?? 0);
  return mending === undefined ? undefined : `the server refuses it (${mending.name}: ${said}); ${mending.todo}`;
}

/** By what the driver found, which does not pass. */
function toUnable(error: MongoError, said: string): string | undefined {
  if (/wire version/i.test(said)) {
    return `the server is too old for the driver (${said}); Tombolo needs a replica set of MongoDB 7.0 or newer`;
  }
  if (error.name === 'MongoMissingDependencyError') {
    return `MONGODB_URI asks for what the driver needs another package for (${said}); npm install it, or leave the option out`;
  }
  if (/alert.internal.error|alert number 80/i.test(said)) {
    return `the server broke the TLS handshake off (${said}); Atlas does so to an address that does not stand under Network Access`;
  }
  if (/certificate|self[- ]signed|wrong version number|packet length|EPROTO|SSL|TLS/i.test(said)) {
    return `TLS could not be agreed (${said}); does the server speak TLS, or is tls=true too much, and is its certificate ` +
      'signed by an authority that tlsCAFile=… names?';
  }
  return undefined;
}

/** The driver keeps what each server said to itself, below its own words. */
function textsOf(error: unknown, depth = 0): readonly string[] {
  if (!(error instanceof Error) || depth > causesMax) return [];
  const { reason, cause } = error as { readonly reason?: { readonly servers?: unknown }; readonly cause?: unknown };
  const servers: readonly { readonly error?: unknown }[] = reason?.servers instanceof Map ? [...reason.servers.values()] : [];
  return [...new Set([error.message, ...servers.flatMap((server) => textsOf(server.error, depth + 1)), ...textsOf(cause, depth + 1)])];
}

const causesMax = 4;
