// What users may do: built-in roles as privileges on one database, as far as their actions are checked here.
import { fail } from './errors.ts';
import type { Credential } from './wire/scram.ts';
import { type Doc, isDoc, isTruthy } from './values/types.ts';

export type Role = { role: 'read' | 'readWrite' | 'dbAdmin'; db: string };

const READ = ['changeStream', 'collStats', 'dbStats', 'find', 'killCursors', 'listCollections', 'listIndexes'];
const ACTIONS: Readonly<Record<Role['role'], readonly string[]>> = {
  read: READ,
  readWrite: [...READ, 'createCollection', 'createIndex', 'dropCollection', 'dropIndex', 'insert', 'remove', 'renameCollectionSameDB', 'update'],
  dbAdmin: ['collMod', 'collStats', 'createCollection', 'createIndex', 'dbStats', 'dropCollection', 'dropDatabase', 'dropIndex', 'listCollections', 'listIndexes', 'renameCollectionSameDB', 'validate'],
};

const NEEDED: Readonly<Record<string, string>> = {
  find: 'find', aggregate: 'find', count: 'find', distinct: 'find', insert: 'insert', update: 'update', delete: 'remove', create: 'createCollection', collMod: 'collMod',
  createIndexes: 'createIndex', dropIndexes: 'dropIndex', listIndexes: 'listIndexes', listCollections: 'listCollections', drop: 'dropCollection', dropDatabase: 'dropDatabase',
};

// Without roles of its own a user may do everything.
export function privilegesOf({ roles }: Credential): Doc[] {
  if (!roles) return [{ resource: { anyResource: true }, actions: ['anyAction'] }];
  return roles.map(({ role, db }) => ({ resource: { db, collection: '' }, actions: [...ACTIONS[role]] }));
}

export function checkRights(user: Credential | undefined, name: string, db: string, body: Doc): void {
  const needed = NEEDED[name];
  if (!user?.roles || needed === undefined || asksOfOwn(body)) return;
  if (!user.roles.some(role => role.db === db && ACTIONS[role.role].includes(needed))) throw fail('Unauthorized', `not authorized on ${db} to execute command { ${name}: ... }`);
}

// What a user runs may be seen by that user without a right; what others run asks for `inprog`, which no role here has.
function asksOfOwn({ pipeline }: Doc): boolean {
  const asked = Array.isArray(pipeline) && isDoc(pipeline[0]) ? pipeline[0]['$currentOp'] : undefined;
  return isDoc(asked) && !isTruthy(asked['allUsers']);
}
