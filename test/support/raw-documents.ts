/**
 * Documents as they lie in a database, as plain SQL or a plain driver reads them: each member in its place, with the
 * bytes that it has, and neither with the help of what is tested.
 */
import { Database, type SQLQueryBindings } from 'bun:sqlite';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Binary, BSON, BSONRegExp, Decimal128, Double, Int32, Long, MinKey, ObjectId, Timestamp } from 'mongodb';
import { databaseName } from '../../origin/store/sqlite/connection/database.ts';
import { openMongoDatabase } from './mongo-database.ts';
import type { Engine } from './whole-world.ts';

/** What stands in a place: text of JSON, or a value of BSON. */
export type Leaf = unknown;
export type RawValue = RawObject | readonly RawValue[] | { readonly leaf: Leaf };
export interface RawObject {
  readonly members: readonly (readonly [name: string, RawValue])[];
}

export interface RawDatabase {
  readonly variables: Readonly<Record<string, string>>;
  /** Values of types and forms that no call can write. */
  readonly leaves: readonly [Leaf, ...Leaf[]];
  /** Names of members that a document may have at its top. */
  readonly names: readonly string[];
  /** A plain value; `instant` has the type that the engine has for it. */
  toLeaf(value: string | number, isInstant?: boolean): Leaf;
  replace(collection: string, id: string, document: RawObject): Promise<void>;
  /** Leaves are the bytes that lie there. */
  read(collection: string, id: string): Promise<RawObject>;
  remove(): Promise<void>;
}

export function openRawDatabase(engine: Engine): Promise<RawDatabase> {
  return engine === 'mongodb' ? openRawMongo() : openRawSqlite();
}

async function openRawSqlite(): Promise<RawDatabase> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tombolo-raw-'));
  let database: Database | undefined;
  // One connection for all, once there is a file: opening one reads a schema of hundreds of triggers.
  const opened = (): Database => {
    const other = new Database(join(dataDir, databaseName), { readwrite: true });
    other.run('PRAGMA busy_timeout = 2000');
    return other;
  };
  const run = (sql: string, ...values: SQLQueryBindings[]): string =>
    (database ??= opened()).query<{ doc: string }, SQLQueryBindings[]>(sql).get(...values)?.doc ?? '';
  return {
    variables: { TOMBOLO_DATA_DIR: dataDir },
    leaves: [
      '1.50', '12345678901234567890', '1E+2', '-0', '"\\u0061\\/"', 'null', '"2026-01-01T00:00:00.000Z"', '{"b":1,"7":2,"1":3}', '[1,2.0]',
    ],
    names: ['7'],
    toLeaf: (value) => JSON.stringify(value),
    replace: async (table, id, document) => {
      run(`INSERT OR REPLACE INTO "${table}" (id, doc) VALUES (?, ?)`, id, toText(document));
      // What is read in this turn of the event loop may be older (snapshot.ts), and its end is queued already.
      await new Promise<void>((resolve) => setImmediate(resolve));
    },
    read: async (table, id) => mustObject(fromText(run(`SELECT doc FROM "${table}" WHERE id = ?`, id))),
    async remove() {
      database?.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function openRawMongo(): Promise<RawDatabase> {
  const { uri, foreign, remove } = await openMongoDatabase();
  const named = (name: string) => foreign.collection<{ _id: string }>(name);
  return {
    variables: { MONGODB_URI: uri },
    leaves: [
      new Date(5), Long.fromString('9007199254740993'), Decimal128.fromString('1.50'), new Int32(5), new Double(5), new ObjectId(), null,
      new Binary(Buffer.from('abc'), 4), new BSONRegExp('a', 'i'), new Timestamp({ t: 1, i: 2 }), new MinKey(), 'x',
      new Map([['b', 1], ['a', 2]]),
    ],
    names: ['id'],
    toLeaf: (value, isInstant = false) => (isInstant ? new Date(value) : value),
    replace: async (name, id, document) => {
      await named(name).deleteOne({ _id: id });
      const members = document.members.map(([member, value]) => [member, toBson(value)] as const);
      await named(name).insertOne({ _id: id, ...Object.fromEntries(members) });
    },
    read: async (name, id) => {
      const found: unknown = await named(name).findOne({ _id: id }, { raw: true });
      if (found instanceof Uint8Array) return mustObject(fromBson(found, false));
      throw new Error(`${id} is not there`);
    },
    remove,
  };
}

function mustObject(value: RawValue): RawObject {
  if ('members' in value) return value;
  throw new Error('a document is an object');
}

function toText(value: RawValue): string {
  if ('leaf' in value) return String(value.leaf);
  if (!('members' in value)) return `[${value.map(toText).join(',')}]`;
  return `{${value.members.map(([name, each]) => `${JSON.stringify(name)} :${toText(each)}`).join(', ')}}`;
}

/** Every token of JSON, one after the other. */
function fromText(text: string): RawValue {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  let at = 0;
  const read = (): RawValue => {
    const token = tokens[at++] ?? '';
    const ends = token === '{' ? '}' : token === '[' ? ']' : undefined;
    if (ends === undefined) return { leaf: token };
    const members: [string, RawValue][] = [];
    while (tokens[at] !== ends) {
      if (tokens[at] === ',') at++;
      const name = ends === '}' ? (JSON.parse(tokens[at] ?? '') as string) : '';
      if (ends === '}') at += 2;
      members.push([name, read()]);
    }
    at++;
    return ends === '}' ? { members } : members.map(([, each]) => each);
  };
  return read();
}

/** A Map keeps the order that it was filled in, also of names that are numbers. */
function toBson(value: RawValue): unknown {
  if ('leaf' in value) return value.leaf;
  return 'members' in value ? new Map(value.members.map(([name, each]) => [name, toBson(each)])) : value.map(toBson);
}

const types = { object: 3, array: 4 } as const;

function fromBson(bytes: Uint8Array, isArray: boolean): RawValue {
  const members = [...BSON.onDemand.parseToElements(bytes)].map(([type, nameAt, nameLength, at, length]): [string, RawValue] => {
    const name = Buffer.from(bytes.subarray(nameAt, nameAt + nameLength)).toString();
    const value = bytes.subarray(at, at + length);
    if (type === types.object || type === types.array) return [name, fromBson(value, type === types.array)];
    return [name, { leaf: `${type} ${Buffer.from(value).toString('hex')}` }];
  });
  return isArray ? members.map(([, value]) => value) : { members };
}
