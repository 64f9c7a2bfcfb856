/**
 * Brings the file to what the contract says: missing tables, columns, indexes, side tables and triggers are
 * made (and filled), changed ones made anew, undeclared ones dropped. Documents are never touched. Runs inside
 * a write transaction, and writes nothing when nothing differs.
 */
import type { Database } from 'bun:sqlite';
import { DeclarationError } from '../../../../shared/checks/mistakes.ts';
import { digest64 } from '../../../../shared/wire/hash.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { keepsForm, misformedQuery } from './document-checks.ts';
import { quote, type SchemaObject, toIndexObjects, toTableObject } from './ddl.ts';
import { toResourceTable } from './resource-tables.ts';
import { type Existing, foreignKeysOf, isDerived, mustBeResourceTable, readSchema, type Schema, staleColumns } from './schema.ts';
import { type SideTable, sideTablesOf } from './side-tables.ts';
import { systemTables, withoutRowid } from './system-records.ts';
import { triggersOf } from './triggers.ts';
import { uniqueIndexesOf, uniqueTriggersOf } from './unique-keys.ts';

export interface Installed {
  readonly changed: boolean;
  /** Resources whose changes may have gone unseen: their triggers were not the ones last installed here. */
  readonly holes: readonly string[];
  /** Unique indexes of others: what OR REPLACE displaces through one of them goes unseen. */
  readonly foreignKeys: readonly string[];
}

interface Wanted {
  readonly resource: Resource;
  readonly table: SchemaObject;
  readonly indexes: readonly SchemaObject[];
  readonly sides: readonly SideTable[];
  readonly triggers: readonly SchemaObject[];
}

export function install(database: Database, resources: Iterable<Resource>): Installed {
  const declared = [...resources];
  mustBeTableNames(declared);
  const installation = new Installation(database, declared.map(toWanted));
  installation.run();
  return {
    changed: installation.changed,
    holes: installation.holes,
    foreignKeys: installation.wanted.flatMap(({ resource }) => foreignKeysOf(database, resource)),
  };
}

/** SQLite's names are equal whatever their case; ours begin with `_`, and what is derived has a colon behind the table's name. */
function mustBeTableNames(resources: readonly Resource[]): void {
  const refuse = ({ name, collection }: Resource, detail: string) =>
    new DeclarationError([`shared/resources/${name}.ts: resource "${name}": collection: "${collection}" ${detail}`]);
  const known = new Set<string>();
  for (const resource of resources) {
    const name = resource.collection.toLowerCase();
    if (/^_|^sqlite_|:/.test(name)) throw refuse(resource, 'is no name for a table here: it begins with _ or sqlite_, or has a colon');
    if (known.has(name)) throw refuse(resource, 'differs from that of another resource in case alone, which no table can');
    known.add(name);
  }
}

function toWanted(resource: Resource): Wanted {
  const table = toResourceTable(resource);
  return {
    resource,
    table: toTableObject(table, { withoutRowid: false }),
    indexes: [...toIndexObjects(table), ...uniqueIndexesOf(resource)],
    sides: sideTablesOf(resource),
    triggers: [...triggersOf(resource), ...uniqueTriggersOf(resource)],
  };
}

class Installation {
  readonly #database: Database;
  readonly wanted: readonly Wanted[];
  readonly #before: Schema;
  readonly #holes: Resource[] = [];
  changed = false;

  constructor(database: Database, wanted: readonly Wanted[]) {
    this.#database = database;
    this.wanted = wanted;
    this.#before = readSchema(database);
  }

  get holes(): readonly string[] {
    return this.#holes.map(({ name }) => name);
  }

  run(): void {
    this.#installSystem();
    for (const wanted of this.wanted) this.#installTable(wanted);
    const columns = this.wanted.flatMap(({ resource }) => staleColumns(this.#before, resource));
    const kept = this.#dropDerived(columns.some((column) => column.drop));
    for (const column of columns) {
      this.#alter(
        `ALTER TABLE ${quote(column.table)} ${column.drop ? `DROP COLUMN ${quote(column.name)}` : `ADD COLUMN ${column.declared}`}`,
      );
    }
    for (const wanted of this.wanted) this.#createDerived(wanted, kept);
  }

  #installSystem(): void {
    for (const table of systemTables)
      for (const object of [toTableObject(table, { withoutRowid: withoutRowid.has(table) }), ...toIndexObjects(table)])
        if (!this.#before.has(object.name)) this.#alter(object.sql);
  }

  #installTable({ resource, table }: Wanted): void {
    const existing = this.#before.get(resource.collection);
    if (existing === undefined) this.#alter(table.sql);
    else mustBeResourceTable(existing, resource);
    const isHole = this.#hasHole(resource);
    if (isHole) this.#holes.push(resource);
    // An older make's triggers may have let through what is refused now.
    if (!isHole && keepsForm(resource, this.#before.get(`${resource.collection}:before update`)?.sql ?? '')) return;
    const misformed = this.#database.prepare<{ id: string }, []>(misformedQuery(resource)).get();
    if (misformed !== null) {
      const rule = 'must be the text of a JSON object that begins with {, has no id and no field twice, at any depth';
      throw new Error(`the table ${resource.collection} holds what is no document: doc of ${JSON.stringify(misformed.id)} ${rule}`);
    }
  }

  /** Whether changes may have gone unseen: the triggers found are compared with a digest of those last installed. */
  #hasHole(resource: Resource): boolean {
    const installed = this.#readDigest(resource);
    const found = [...this.#before.values()].filter(
      (object) => object.type === 'trigger' && isDerived(object) && isOf(resource, object),
    );
    return installed === undefined ? this.#before.has(resource.collection) : installed !== digestOf(found);
  }

  /** Drops what is derived and gives the names of the rest. With a column goes all that may use it, after a hole the side tables. */
  #dropDerived(all: boolean): ReadonlySet<string> {
    const wanted = new Map(this.wanted.flatMap(derivedObjects).map((object) => [object.name, object.sql]));
    const stays = (found: Existing) =>
      !all && wanted.get(found.name) === found.sql && !(found.on.includes(':') && this.#isOfHole(found));
    const owned = [...this.#before.values()].filter(isDerived);
    const order = { trigger: 0, view: 1, index: 2, table: 3 } as const;
    for (const object of owned.filter((found) => !stays(found)).sort((a, b) => order[a.type] - order[b.type]))
      this.#alter(`DROP ${object.type.toUpperCase()} IF EXISTS ${quote(object.name)}`);
    return new Set(owned.filter(stays).map((object) => object.name));
  }

  #isOfHole(found: Existing): boolean {
    return this.#holes.some(({ collection }) => collection === ownerOf(found));
  }

  #createDerived({ resource, indexes, sides, triggers }: Wanted, kept: ReadonlySet<string>): void {
    const create = (objects: readonly SchemaObject[]) =>
      objects.filter((object) => !kept.has(object.name)).forEach((object) => this.#alter(object.sql));
    create(indexes);
    for (const side of sides) {
      create(side.objects);
      if (!kept.has(side.name)) this.#alter(side.fill(quote(resource.collection)));
    }
    create(triggers);
    if (this.#readDigest(resource) !== digestOf(triggers)) this.#keepDigest(resource, digestOf(triggers));
  }

  #readDigest({ collection }: Resource): string | undefined {
    const digests = this.#database.prepare<{ value: string }, [string]>('SELECT value FROM "_meta" WHERE key = ?');
    return digests.get(`triggers:${collection}`)?.value;
  }

  #keepDigest({ collection }: Resource, digest: string): void {
    this.#database.prepare('INSERT OR REPLACE INTO "_meta" (key, value) VALUES (?, ?)').run(`triggers:${collection}`, digest);
  }

  #alter(sql: string): void {
    this.changed = true;
    this.#database.run(sql);
  }
}

function derivedObjects({ indexes, sides, triggers }: Wanted): readonly SchemaObject[] {
  return [...indexes, ...sides.flatMap((side) => side.objects), ...triggers];
}

function ownerOf(object: Existing): string {
  return object.name.slice(0, object.name.indexOf(':'));
}

/** Whether a trigger is on the table, or on a view of it. */
function isOf({ collection }: Resource, { on }: Existing): boolean {
  return on === collection || on.startsWith(`${collection}:`);
}

function digestOf(triggers: readonly SchemaObject[]): string {
  return digest64(triggers.filter(({ type }) => type === 'trigger').map((trigger) => trigger.sql).sort().join('\n'));
}
