/** A declared default as SQLite's JSON has it. */
import type { Resource } from '../../../../shared/contract/resource.ts';
import { toStoredPath } from '../../../../shared/contract/stored-names.ts';
import { isJsonObject, type Json } from '../../../../shared/wire/values.ts';
import type { DefaultPlace } from '../../examination/absences.ts';
import { quote } from '../install/ddl.ts';
import { toStoredText } from '../read/member-names.ts';

/** As anybody could give them to the `sqlite3` shell. */
export function toDefaultCommands(resource: Resource, place: DefaultPlace): { readonly command: object; readonly undo: object } {
  const { collection: name } = resource;
  const [path, text] = [storedPathOf(resource, place), storedDefault(resource, place)];
  const [at, value] = [literal(toJsonPath(path)), `json(${literal(text)})`];
  const holder = literal(toJsonPath(path.slice(0, -1)));
  const lacks = `json_type(doc, ${at}) IS NULL AND json_type(doc, ${holder}) = 'object'`;
  return {
    command: { sql: `UPDATE ${quote(name)} SET doc = json_set(doc, ${at}, ${value}) WHERE ${lacks}` },
    undo: toUndoCommand(name, path, text),
  };
}

export function toUndoCommand(collection: string, path: readonly string[], text: string): object {
  const at = literal(toJsonPath(path));
  return { sql: `UPDATE ${quote(collection)} SET doc = json_remove(doc, ${at}) WHERE json(doc -> ${at}) = json(${literal(text)})` };
}

export function storedPathOf(resource: Resource, { path }: DefaultPlace): readonly string[] {
  return toStoredPath(resource, path.join('.')).split('.');
}

/** The JSON text of the default, made anew, with its members by their stored names. */
export function storedDefault(resource: Resource, place: DefaultPlace): string {
  const document = place.path.reduceRight<Json>((value, name) => ({ [name]: value }), place.make());
  const stored = JSON.parse(toStoredText(resource, JSON.stringify(document))) as Json;
  const path = storedPathOf(resource, place);
  const value = path.reduce<Json | undefined>((each, name) => (isJsonObject(each) ? each[name] : undefined), stored);
  return JSON.stringify(value);
}

function toJsonPath(names: readonly string[]): string {
  return `$${names.map((name) => `.${JSON.stringify(name)}`).join('')}`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
