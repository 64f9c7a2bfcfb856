/**
 * The triggers of a resource: checks, the change log, side tables. Whoever writes, through Tombolo or with
 * plain SQL, goes through them. Built-in functions only, and none newer than SQLite 3.38.
 *
 * `INSERT OR REPLACE` fires no delete trigger for the rows it displaces, through the id or through `n`. So
 * the BEFORE trigger notes in `_displaced` which rows are in the way, and the AFTER trigger, which runs only
 * if the row came in, logs and forgets them. Under `DO NOTHING` it does not run; under `DO UPDATE` the update
 * triggers do; and the next BEFORE trigger clears what was left. Tombolo's own inserts have none of this: they are checked
 * before, nothing is ever in their way, and a row is in its table a seventh sooner. Nor do they pay for it: SQLite makes room
 * for all that a trigger may do before it looks whether it is to, so what inserts of others need is done by triggers of
 * views, which those of the table insert into.
 */
import { getTableColumns } from 'drizzle-orm';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { insertCheck, isForeign, isOwn, updateCheck } from './document-checks.ts';
import { nowMs, quote, type SchemaObject } from './ddl.ts';
import { toResourceTable, withDerivedColumns } from './resource-tables.ts';
import { type RowSource, type SideTable, sideTablesOf } from './side-tables.ts';

/** With the views that they need, before them. */
export function triggersOf(resource: Resource): readonly SchemaObject[] {
  const made = new Triggers(resource, sideTablesOf(resource));
  return [
    made.foreignView('inserting'), made.foreignView('inserted'), made.onForeignInserting(), made.onForeignInserted(),
    made.beforeInsert(), made.afterInsert(), made.afterOwnInsert(),
    made.beforeUpdate(), made.beforeMove(), made.afterUpdate(), made.afterMove(), made.afterDelete(),
  ];
}

/** The moment at which a transaction of ours began, so that each stands whole on one side of any moment; of others, that of the change. */
const changedAt = `coalesce((SELECT "n" FROM "_own"), ${nowMs})`;
const columns = `"_log" ("token", "resource", "id", "kind", "before", "after", "at")`;
/** A change of the row's identity: rare, and the only update that can displace another row. */
const moves = `NEW."id" <> OLD."id" OR NEW."n" <> OLD."n"`;

type ForeignStep = 'inserting' | 'inserted';

class Triggers {
  readonly #resource: Resource;
  readonly #sides: readonly SideTable[];
  readonly #table: string;
  readonly #name: string;

  constructor(resource: Resource, sides: readonly SideTable[]) {
    this.#resource = resource;
    this.#sides = sides;
    this.#table = quote(resource.collection);
    this.#name = `'${resource.name}'`;
  }

  /** Of the table, so that its columns compare as that one's do; nobody reads it. */
  foreignView(what: ForeignStep): SchemaObject {
    const name = this.#foreign(what);
    return { type: 'view', name, sql: `CREATE VIEW ${quote(name)} AS SELECT * FROM ${this.#table}` };
  }

  beforeInsert(): SchemaObject {
    return this.#trigger('before insert', 'BEFORE INSERT', [this.#toForeign('inserting', ['n', 'id', 'doc'])], isForeign);
  }

  onForeignInserting(): SchemaObject {
    return this.#instead('inserting', [
      insertCheck(this.#resource), ...this.#noteDisplaced(`"id" = NEW."id" OR "n" = NEW."n"`),
    ]);
  }

  afterInsert(): SchemaObject {
    const all = getTableColumns(toResourceTable(this.#resource));
    return this.#trigger('after insert', 'AFTER INSERT', [this.#toForeign('inserted', Object.keys(all))], isForeign);
  }

  onForeignInserted(): SchemaObject {
    return this.#instead('inserted', [
      ...this.#forgetSidesOfDisplaced(),
      this.#logDisplaced(),
      this.#log(`NEW."id"`, `'insert'`, this.#displacedImage(), `NEW."doc"`),
      this.#clearDisplaced(),
      ...this.#fillSides(),
    ]);
  }

  /** Tombolo inserts only where nothing is in the way. */
  afterOwnInsert(): SchemaObject {
    return this.#trigger('after own insert', 'AFTER INSERT', [
      this.#log(`NEW."id"`, `'insert'`, 'NULL', `NEW."doc"`), ...this.#fillSides(),
    ], isOwn);
  }

  beforeUpdate(): SchemaObject {
    return this.#trigger('before update', 'BEFORE UPDATE OF "id", "doc"', [updateCheck(this.#resource)]);
  }

  beforeMove(): SchemaObject {
    return this.#trigger(
      'before move',
      'BEFORE UPDATE',
      this.#noteDisplaced(`("id" = NEW."id" OR "n" = NEW."n") AND "n" <> OLD."n"`),
      moves,
    );
  }

  afterUpdate(): SchemaObject {
    const body = [
      this.#log(`NEW."id"`, `'update'`, `OLD."doc"`, `NEW."doc"`),
      ...this.#forgetSides('OLD'),
      ...this.#fillSides(),
    ];
    return this.#trigger(
      'after update',
      'AFTER UPDATE OF "id", "doc"',
      body,
      `NEW."id" = OLD."id" AND NEW."n" = OLD."n" AND NEW."doc" <> OLD."doc"`,
    );
  }

  /** The trigger of moves: another id is a removal and an insertion; another `n` alone is no change of a document. */
  afterMove(): SchemaObject {
    const kind = `CASE WHEN NEW."id" = OLD."id" THEN 'update' ELSE 'insert' END`;
    const before = `CASE WHEN NEW."id" = OLD."id" THEN OLD."doc" ELSE ${this.#displacedImage()} END`;
    return this.#trigger('after move', 'AFTER UPDATE', [
      ...this.#forgetSidesOfDisplaced(),
      ...this.#forgetSides('OLD'),
      this.#logDisplaced(),
      `${this.#log(`OLD."id"`, `'delete'`, `OLD."doc"`, 'NULL')} WHERE NEW."id" <> OLD."id"`,
      `${this.#log(`NEW."id"`, kind, before, `NEW."doc"`)} WHERE NEW."id" <> OLD."id" OR NEW."doc" <> OLD."doc"`,
      this.#clearDisplaced(),
      ...this.#fillSides(),
    ], moves);
  }

  /** The trigger of removals: under `PRAGMA recursive_triggers` it runs for displaced rows too, which AFTER INSERT then leaves out. */
  afterDelete(): SchemaObject {
    return this.#trigger('after delete', 'AFTER DELETE', [
      this.#log(`OLD."id"`, `'delete'`, `OLD."doc"`, 'NULL'),
      ...this.#forgetSides('OLD'),
      `DELETE FROM "_displaced" WHERE "resource" = ${this.#name} AND "id" = OLD."id"`,
    ]);
  }

  #trigger(what: string, event: string, body: readonly string[], when?: string): SchemaObject {
    const name = `${this.#resource.collection}:${what}`;
    const guard = when === undefined ? '' : ` WHEN ${when}`;
    return {
      type: 'trigger',
      name,
      sql: `CREATE TRIGGER ${quote(name)} ${event} ON ${this.#table} FOR EACH ROW${guard} BEGIN ${body.join('; ')}; END`,
    };
  }

  #foreign(what: ForeignStep): string {
    return `${this.#resource.collection}:foreign ${what}`;
  }

  #toForeign(what: ForeignStep, names: readonly string[]): string {
    const columns = names.map(quote);
    const values = columns.map((column) => `NEW.${column}`);
    return `INSERT INTO ${quote(this.#foreign(what))} (${columns.join(', ')}) VALUES (${values.join(', ')})`;
  }

  #instead(what: ForeignStep, body: readonly string[]): SchemaObject {
    const [view, name] = [this.#foreign(what), `${this.#foreign(what)} instead`];
    const head = `CREATE TRIGGER ${quote(name)} INSTEAD OF INSERT ON ${quote(view)} FOR EACH ROW`;
    return { type: 'trigger', name, sql: `${head} BEGIN ${body.join('; ')}; END` };
  }

  #log(id: string, kind: string, before: string, after: string): string {
    return `INSERT INTO ${columns} SELECT lower(hex(randomblob(4))), ${this.#name}, ${id}, ${kind}, ${before}, ${after}, ${changedAt}`;
  }

  #logDisplaced(): string {
    return `${this.#log(`"id"`, `'delete'`, `"doc"`, 'NULL')} FROM "_displaced" WHERE "resource" = ${this.#name} AND "id" <> NEW."id"`;
  }

  #displacedImage(): string {
    return `(SELECT "doc" FROM "_displaced" WHERE "resource" = ${this.#name} AND "id" = NEW."id")`;
  }

  /** Statements that delete and insert, since an inner OR REPLACE would yield to the outer statement's OR IGNORE. */
  #noteDisplaced(inTheWay: string): readonly string[] {
    return [
      this.#clearDisplaced(),
      `INSERT INTO "_displaced" SELECT ${this.#name}, "id", "n", "doc" FROM ${this.#table} WHERE ${inTheWay}`,
    ];
  }

  #clearDisplaced(): string {
    return `DELETE FROM "_displaced" WHERE "resource" = ${this.#name}`;
  }

  #forgetSides(row: string | RowSource): readonly string[] {
    return this.#sides.map((side) => side.forget(row));
  }

  #forgetSidesOfDisplaced(): readonly string[] {
    const rows = `SELECT "id", "doc" FROM "_displaced" WHERE "resource" = ${this.#name}`;
    return this.#forgetSides({ name: 'displaced', from: `(${withDerivedColumns(this.#resource, rows)}) AS displaced` });
  }

  #fillSides(): readonly string[] {
    return this.#sides.map((side) => side.fill('NEW'));
  }
}
