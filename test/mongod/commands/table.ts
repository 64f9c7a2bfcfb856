// Every command of the server. What is absent is CommandNotFound.
import { aggregateCommand } from './aggregate.ts';
import { collMod } from './coll-mod.ts';
import type { Command } from './command.ts';
import { count, distinct } from './count-distinct.ts';
import { create, drop, dropDatabase, renameCollection } from './create.ts';
import { getMore, killCursors } from './cursor-commands.ts';
import { remove } from './delete.ts';
import * as diagnostics from './diagnostics.ts';
import { findAndModify } from './find-and-modify.ts';
import { find } from './find.ts';
import { hello } from './hello.ts';
import { createIndexes, dropIndexes, listIndexes } from './indexes.ts';
import { insert } from './insert.ts';
import { collStats, dbStats, listCollections, listDatabases, validate } from './listing.ts';
import { logout, saslContinue, saslStart } from './sasl.ts';
import * as sessions from './sessions.ts';
import { update } from './update.ts';

export const COMMANDS: ReadonlyMap<string, Command> = new Map(Object.entries({
  hello, isMaster: hello, ismaster: hello, saslStart, saslContinue, logout,
  find, getMore, killCursors, aggregate: aggregateCommand, count, distinct, insert, update, delete: remove, findAndModify, findandmodify: findAndModify,
  create, drop, dropDatabase, renameCollection, collMod, createIndexes, dropIndexes, deleteIndexes: dropIndexes, listIndexes,
  listCollections, listDatabases, collStats, collstats: collStats, dbStats, dbstats: dbStats, validate,
  ping: diagnostics.ping, buildInfo: diagnostics.buildInfo, buildinfo: diagnostics.buildInfo, hostInfo: diagnostics.hostInfo, whatsmyuri: diagnostics.whatsmyuri,
  connectionStatus: diagnostics.connectionStatus, serverStatus: diagnostics.serverStatus, getParameter: diagnostics.getParameter, setParameter: diagnostics.setParameter,
  getCmdLineOpts: diagnostics.getCmdLineOpts, getLog: diagnostics.getLog, configureFailPoint: diagnostics.configureFailPoint, explain: diagnostics.explain,
  replSetGetStatus: diagnostics.replSetGetStatus, replSetGetConfig: diagnostics.replSetGetConfig, replSetStepDown: diagnostics.replSetStepDown,
  endSessions: sessions.endSessions, killSessions: sessions.killSessions, killAllSessions: sessions.killAllSessions, startSession: sessions.startSession, refreshSessions: sessions.refreshSessions,
  commitTransaction: sessions.commitTransaction, abortTransaction: sessions.abortTransaction,
}));
