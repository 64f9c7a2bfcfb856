/**
 * From one older version to the current one and back, for one kind of document: a chain of levels (SEMANTICS §19). What
 * either version does not have is told in the words of whoever asks.
 */
import { documentInvalid } from '../contract/documents.ts';
import { kindOfType } from '../contract/fields.ts';
import { toPointer } from '../wire/json-pointer.ts';
import type { FieldError } from '../wire/fault.ts';
import { digest64 } from '../wire/hash.ts';
import { parametersRefused, takesSeveral, toParameters } from '../wire/parameters.ts';
import { isNumeric, type Json, type JsonObject } from '../wire/values.ts';
import { holdersOf } from '../contract/path.ts';
import { type Change, type Converted, newPlacesOf } from './changes.ts';
import { Level } from './level.ts';
import { fieldsNamedIn, measuringParameters } from '../aggregates/terms.ts';
import { arrayAbove, type Places } from './places.ts';

export class Translation {
  /** From the client's version on. */
  readonly levels: readonly Level[];
  /** Names what it does: what another made is not what this makes. */
  readonly digest: string;
  /**
   * Places of the current version that the client's has no name for: its writes leave them as they are. `a.b.*` is the object
   * itself, without what the client can name in it.
   */
  readonly unnamed: readonly string[];

  private constructor(levels: readonly Level[]) {
    this.levels = levels;
    this.digest = digest64(JSON.stringify(levels.map(({ changes }) => changes.map(toText))));
    this.unnamed = unique(levels.flatMap((level, index) => {
      const later = levels.slice(index + 1);
      const added = level.changes.flatMap((change) => (change.kind === 'added' ? namesAfter(later, change.at) : []));
      return [...added, ...newHoldersOf(level).flatMap((holder) => namesAfter(later, holder)).map((holder) => `${holder}.*`)];
    }));
  }

  /** `steps`: oldest first, each to the next version; `places`: those of the current one. `undefined`: nothing differs. */
  static through(steps: readonly (readonly Change[])[], places: Places): Translation | undefined {
    if (steps.every((changes) => changes.length === 0)) return undefined;
    const levels = steps.toReversed().reduce<readonly Level[]>(
      (later, changes) => [new Level(changes, later[0]?.old ?? places), ...later], [],
    );
    return new Translation(levels.filter(({ changes }) => changes.length > 0));
  }

  /** A body in the current version; throws `document_invalid` for what the client's does not have. */
  up(body: JsonObject, as: 'document' | 'patch'): JsonObject {
    return this.levels.reduce((value, level, index) => {
      const mistakes = level.mistakesIn(value).map(({ pointer, detail }): FieldError => {
        return { at: this.levels.slice(0, index).reduceRight(downPointerOf, toPointer(pointer)), in: 'body', detail };
      });
      if (mistakes.length > 0) throw documentInvalid(mistakes);
      return as === 'patch' ? level.upPatch(value) : level.up(value);
    }, body);
  }

  down(document: JsonObject): JsonObject {
    return this.levels.reduceRight((value, level) => level.down(value), document);
  }

  /** Filters, `sort` and `fields` of a query string; throws `query_invalid`. What names no place stays as it is. */
  upQuery(query: string): string {
    if (query === '') return query;
    const given = toParameters(query);
    const refused: (readonly [string, string])[] = [];
    const refuse = (at: string, detail: string) => void refused.push([at, detail]);
    const pairs = [...given].map(([name, text]): readonly [string, string] => this.#upParameter(name, text, refuse));
    if (refused.length > 0) throw parametersRefused(refused);
    return toQuery(pairs);
  }

  /** The query of a link, as the client would have written it. */
  downQuery(query: string): string {
    return toQuery([...new URLSearchParams(query)].map(([name, text]) => [this.downName(name), this.downValue(name, text)]));
  }

  /** The name of a parameter, with its operator. */
  downName(name: string): string {
    if (name === 'sort' || name === 'fields' || name === 'distinct') return name;
    const { path, operator } = toParts(name);
    return `${this.downPath(path)}${operator}`;
  }

  /** What stands in the parameter of the current version that has this name. */
  downValue(name: string, text: string): string {
    if (name === 'sort') return mapSort(text, (path) => this.oldNames(path));
    if (name === 'distinct') return this.downPath(text);
    if (name === 'fields') return unique(text.split(',').flatMap((path) => this.oldNames(path))).join();
    const { path, operator } = toParts(name);
    return this.conversionsAt(path).reduceRight((value, step) => mapText(value, operator, step, 'down'), text);
  }

  /** A place of the current version, with its indexes (RFC 6901), as the client's version has it. */
  downPointer(pointer: string): string {
    return this.levels.reduceRight(downPointerOf, pointer);
  }

  /** What the current version calls one place; `undefined` where the client's has none such, it is several, or its values differ. */
  upPath(path: string): string | undefined {
    const [now, ...others] = this.#nowNames(path);
    return now === undefined || others.length > 0 || this.conversionsAt(now).length > 0 ? undefined : now;
  }

  /** What the current version calls one place, and whether it says its values otherwise. */
  nowPath(path: string): { readonly now: string; readonly isConverted: boolean } | 'unknown' | 'several' {
    const [now, ...others] = this.#nowNames(path);
    if (now === undefined) return 'unknown';
    return others.length > 0 ? 'several' : { now, isConverted: this.conversionsAt(now).length > 0 };
  }

  /** The same of a place that stands in a query, or in words. */
  downPath(path: string): string {
    return this.oldNames(path)[0] ?? path;
  }

  /** Whether a place of the current version has the same name and the same values in the client's. */
  isSame(path: string): boolean {
    return this.oldNames(path).join() === path && this.#nowNames(path).join() === path && this.conversionsAt(path).length === 0;
  }

  #upParameter(name: string, text: string, refuse: (at: string, detail: string) => void): readonly [string, string] {
    const named = (path: string): readonly string[] => {
      const names = this.#nowNames(path);
      if (names.length > 0) return names;
      const why = this.#isRemoved(path) ? `"${path}" is the same in every document, and is shown alone` : `unknown field "${path}"`;
      refuse(name === 'sort' || name === 'fields' ? name : path, why);
      return names;
    };
    if (name === 'fields') {
      // What is gone is shown whatever else is.
      const there = text.split(',').filter((path) => !this.#isRemoved(path));
      return [name, there.length === 0 ? 'id' : unique(there.flatMap(named)).join()];
    }
    if (name === 'distinct') {
      const now = this.upPath(text);
      if (now === undefined) refuse(name, `"${text}" is no one place with the same values in the current version`);
      return [name, now ?? text];
    }
    if (name === 'sort') {
      return [name, mapSort(text, (path) => {
        if (!this.#isOrdered(path)) refuse('sort', `"${path}" has another order in the current version`);
        return named(path);
      })];
    }
    if (measuringParameters.has(name) && this.levels[0]?.old.has(name) !== true) {
      const other = fieldsNamedIn(text).find((path) => this.#isOther(path));
      if (other !== undefined) refuse(name, `"${other}" is another in the current version, and is aggregated there alone`);
      return [name, text];
    }
    const { path, operator } = toParts(name);
    const [now, ...others] = named(path);
    if (now === undefined) return [name, text];
    if (others.length > 0) refuse(name, `"${path}" is several places in the current version`);
    const isRange = !['', '[ne]', '[exists]'].includes(operator) && !takesSeveral(operator);
    if (isRange && !this.#isOrdered(path)) refuse(name, `"${path}" has another order in the current version`);
    try {
      return [`${now}${operator}`, this.conversionsAt(now).reduce((value, step) => mapText(value, operator, step, 'up'), text)];
    } catch (thrown) {
      if (!(thrown instanceof NoValue)) throw thrown;
      refuse(name, thrown.message);
      return [name, text];
    }
  }

  /** Whether the client's version means something else by a name than the current one. */
  #isOther(path: string): boolean {
    const now = this.#nowNames(path);
    return now.length === 0 || !now.includes(path) || !this.isSame(path);
  }

  #nowNames(path: string): readonly string[] {
    return namesAfter(this.levels, path);
  }

  #isRemoved(path: string): boolean {
    return this.levels.some((level, index) => namesAfter(this.levels.slice(0, index), path).some((name) => level.removes(name)));
  }

  /** What the client's version calls a place of the current one: none where it has no such place. */
  oldNames(path: string): readonly string[] {
    return this.levels.reduceRight((paths, level) => unique(paths.flatMap((each) => level.oldOf(each))), [path] as readonly string[]);
  }

  /** Of a place of the current version, the oldest first. */
  conversionsAt(now: string): readonly Converted[] {
    let path = now;
    const found: Converted[] = [];
    for (const level of this.levels.toReversed()) {
      const step = level.conversionAt(path);
      if (step !== undefined) found.unshift(step);
      path = level.oldOf(path)[0] ?? path;
    }
    return found;
  }

  #isOrdered(path: string): boolean {
    return this.#nowNames(path).every((now) => this.conversionsAt(now).every(({ ordered }) => ordered));
  }
}

function namesAfter(levels: readonly Level[], path: string): readonly string[] {
  return levels.reduce((paths, level) => unique(paths.flatMap((each) => level.nowOf(each))), [path] as readonly string[]);
}

/** Objects in which the newer version has what stands elsewhere, or nowhere, in the older, which has none of that name. */
function newHoldersOf({ changes, old, now }: Level): readonly string[] {
  return newPlacesOf(changes).flatMap(holdersOf).filter((holder) => !old.has(holder) && now.get(holder)?.isMany !== true);
}

/** Indexes of arrays are kept where what moves does so within one element. */
function downPointerOf(pointer: string, level: Level): string {
  const steps = pointer.split('/').slice(1);
  const named = steps.flatMap((step, index) => (isIndex(step) ? [] : [{ step, index }]));
  const path = named.map(({ step }) => step).join('.');
  const [old] = level.oldOf(path);
  if (old === undefined || old === path) return pointer;
  const array = arrayAbove(path, level.now);
  const depth = array === '' ? 0 : array.split('.').length;
  const kept = steps.slice(0, depth === 0 ? 0 : (named[depth]?.index ?? steps.length));
  const tail = old.split('.').slice(depth);
  const rest = steps.slice((named.at(-1)?.index ?? -1) + 1);
  return [...['', ...kept], ...tail, ...rest].join('/');
}

function isIndex(step: string): boolean {
  return /^(0|[1-9]\d*)$/.test(step);
}

function toParts(name: string): { readonly path: string; readonly operator: string } {
  const bracket = name.indexOf('[');
  return bracket < 0 ? { path: name, operator: '' } : { path: name.slice(0, bracket), operator: name.slice(bracket) };
}

function mapSort(text: string, map: (path: string) => readonly string[]): string {
  return text.split(',').flatMap((key) => (key.startsWith('-') ? map(key.slice(1)).map((path) => `-${path}`) : map(key))).join();
}

/** Several values stand in one text, as a query writes them. */
function mapText(text: string, operator: string, step: Converted, way: 'up' | 'down'): string {
  if (operator === '[exists]') return text;
  if (takesSeveral(operator)) return text.split(',').map((each) => mapOne(each, step, way)).join();
  return mapOne(text, step, way);
}

/** Throws for a text that is no value of the type: as it is, it might be one of the current version. */
function mapOne(text: string, { schema, up, down }: Converted, way: 'up' | 'down'): string {
  const asNumber = text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
  if (way === 'down') return String(down(asNumber));
  const value: Json = isNumeric(kindOfType(schema)) ? asNumber : text;
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new NoValue(parsed.error.issues[0]?.message ?? 'not a value of this version');
  return String(up(value));
}

class NoValue extends Error {}

function toQuery(pairs: readonly (readonly [string, string])[]): string {
  if (pairs.length === 0) return '';
  return `?${pairs.map(([name, text]) => `${encodeURIComponent(name)}=${encodeURIComponent(text)}`).join('&')}`;
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}

/** Functions by their source: another text may mean something else. */
function toText(change: Change): unknown {
  if (change.kind === 'removed') return [change.kind, change.at, change.shown];
  return change.kind === 'converted' ? [change.kind, change.at, String(change.up), String(change.down)] : change;
}
