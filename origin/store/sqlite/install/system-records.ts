/** Tombolo's own tables, all beginning with `_`, which no resource's name can, be it internal or not. */
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** Holds the epoch. */
export const meta = sqliteTable('_meta', {
  key: text('key').primaryKey(),
  value: text('value').notNull(),
});

/** The change log, filled by triggers. It always has a row, and its rows have no gaps: a gap is lost history. */
export const log = sqliteTable('_log', {
  seq: integer('seq').primaryKey(),
  /** A random text that tells this history from that of a restored file that went on from an earlier row. */
  token: text('token').notNull(),
  resource: text('resource').notNull(),
  /** Empty for entries that are not about one document. */
  id: text('id').notNull(),
  kind: text('kind', { enum: ['insert', 'update', 'delete', 'resource', 'start'] }).notNull(),
  /** Images as stored, without the id; null: there was no document. */
  before: text('before'),
  after: text('after'),
  /** Milliseconds of the epoch. */
  at: integer('at').notNull(),
});

/**
 * Rows that the INSERT or UPDATE of one row may displace, between its BEFORE and its AFTER trigger:
 * `OR REPLACE` fires no delete trigger for them. What lies here longer was not displaced.
 */
const displaced = sqliteTable('_displaced', {
  resource: text('resource').notNull(),
  id: text('id').notNull(),
  n: integer('n').notNull(),
  doc: text('doc').notNull(),
}, (table) => [primaryKey({ columns: [table.resource, table.id] })]);

/**
 * Holds a row only inside a transaction of this store, so nobody else ever sees one: triggers leave out what
 * our statements cannot do (a fifth of the cost of an insert), and take its moment for that of all its changes.
 */
const own = sqliteTable('_own', {
  /** Milliseconds of the epoch. */
  n: integer('n').primaryKey(),
});

export const nonces = sqliteTable('_nonces', {
  value: text('value').primaryKey(),
  expiresAt: integer('expires_at').notNull(),
}, (table) => [index('_nonces:expires_at').on(table.expiresAt)]);

/** Idempotency records: committed with what they answer for. */
export const once = sqliteTable('_once', {
  key: text('key').primaryKey(),
  fingerprint: text('fingerprint').notNull(),
  answer: text('answer').notNull(),
  at: integer('at').notNull(),
}, (table) => [index('_once:at').on(table.at)]);

/** Durable cursors of the feed's consumers. */
export const cursors = sqliteTable('_cursors', {
  consumer: text('consumer').primaryKey(),
  epoch: text('epoch').notNull(),
  order: text('order').notNull(),
});

/** Defaults that documents were given, noted in the transaction that gave them; made by whoever fills in the first. */
export const filled = sqliteTable('_filled', {
  n: integer('n').primaryKey(),
  collection: text('collection').notNull(),
  /** JSON: the paths as stored. */
  fields: text('fields').notNull(),
  /** JSON: which documents, and what each was given. */
  documents: text('documents').notNull(),
  /** Milliseconds of the epoch. */
  at: integer('at').notNull(),
}, (table) => [index('_filled:collection').on(table.collection)]);

export const systemTables = [meta, log, displaced, own, nonces, once, cursors] as const;
/** Keyed by text and small: without a rowid they are one b-tree instead of two. */
export const withoutRowid: ReadonlySet<object> = new Set([meta, displaced, nonces, once, cursors]);
