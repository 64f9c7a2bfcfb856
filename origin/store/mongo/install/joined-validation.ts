/**
 * One validator for several versions of a contract over one collection, as a rolling deploy has them: it takes what any of
 * them writes. A start therefore only widens what it finds; `npm run apply` narrows it to what is declared, when whoever
 * operates this knows that no earlier version runs any more. Nothing that Tombolo writes waits for that: every version
 * checks its own writes by the whole of its own schema.
 */
import type { Document } from 'mongodb';
import { sealed } from './validator-seal.ts';

/** From what takes most to what takes least. */
const levels = ['off', 'moderate', 'strict'];
const actions = ['warn', 'error'];

/** What takes all that `there` and `wanted` take; `wanted` alone where what is there is no validator that Tombolo sets. */
export function joinedValidation(there: Document, wanted: Document): Document {
  if (!isOfTombolo(there['validator'])) return wanted;
  const lesser = (order: readonly string[], name: string) =>
    order.find((each) => each === there[name] || each === wanted[name]) ?? wanted[name];
  return sealed({
    validator: { $jsonSchema: joined(there['validator'].$jsonSchema, wanted['validator'].$jsonSchema) },
    validationLevel: lesser(levels, 'validationLevel'),
    validationAction: lesser(actions, 'validationAction'),
  });
}

function isOfTombolo(validator: Document | undefined): validator is Document {
  return Object.keys(validator ?? {}).join() === '$jsonSchema' && validator?.['$jsonSchema']?.properties?._id !== undefined;
}

/** A keyword that one of both does not have, or has otherwise, says nothing of what both take. */
function joined(there: Document, wanted: Document): Document {
  return Object.fromEntries(
    Object.keys(wanted).flatMap((keyword) => {
      if (there[keyword] === undefined) return [];
      const both = joinedKeyword(keyword, there[keyword], wanted[keyword]);
      return both === undefined ? [] : [[keyword, both]];
    }),
  );
}

function joinedKeyword(keyword: string, there: unknown, wanted: unknown): unknown {
  if (Bun.deepEquals(there, wanted)) return wanted;
  switch (keyword) {
    case 'bsonType':
      return eitherType(there, wanted);
    case 'required': {
      const names = asList(wanted).filter((name) => asList(there).includes(name));
      return names.length === 0 ? undefined : names;
    }
    case 'properties':
      return joinedMembers(there as Document, wanted as Document);
    case 'items':
      return joined(there as Document, wanted as Document);
    default:
      return undefined;
  }
}

/** What one of both does not name, it takes whatever it is. */
function joinedMembers(there: Document, wanted: Document): Document {
  const names = Object.keys(wanted).filter((name) => Object.hasOwn(there, name));
  return Object.fromEntries(names.map((name) => [name, joined(there[name] as Document, wanted[name] as Document)]));
}

/** In the order in which one of both has them, so that nothing differs where nothing is added. */
function eitherType(there: unknown, wanted: unknown): unknown {
  const added = asList(wanted).filter((type) => !asList(there).includes(type));
  if (added.length === 0) return there;
  return asList(there).every((type) => asList(wanted).includes(type)) ? wanted : [...asList(there), ...added];
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}
