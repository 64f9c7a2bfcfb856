/** A resource's schema for bodies of documents that are there: undeclared members pass, to be compared with what is stored. */
import * as z from 'zod';
import { asSchema, type DocumentSchema } from './document-schema.ts';
import { definitionOf, innerTypeOf, isClosedObject, toOpen } from './schema-places.ts';
import { changed, rewritten, type Type } from './schema-tree.ts';

/** The same at every depth, but that no object refuses or drops what it does not name. */
export function opened<Schema extends DocumentSchema>(schema: Schema): Schema {
  return asSchema<Schema>(rewritten(schema, toOpen));
}

/** The same at every depth, but that objects refuse what they do not name. */
export function closed<Schema extends DocumentSchema>(schema: Schema): Schema {
  return asSchema<Schema>(rewritten(schema, (type) => (isClosed(type) ? changed(type, { catchall: z.never() }) : type)));
}

/** A stored value that a patch does not name: it stays as it is, whatever its type says of what is sent. */
export class Kept {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

/** The opened schema which takes a `Kept` at any place for what it holds, without a look at it. */
export function keeping<Schema extends DocumentSchema>(schema: Schema): Schema {
  return asSchema<Schema>(rewritten(schema, (type) => toKeeping(toOpen(type))));
}

/** The same type, but that zod's one function to run it passes a `Kept` through. */
function toKeeping(type: Type): Type {
  const made = changed(type, {});
  const run = made._zod.run;
  made._zod.run = (payload, context) => {
    if (!(payload.value instanceof Kept)) return run(payload, context);
    payload.value = payload.value.value;
    return payload;
  };
  return made;
}

function isClosed(type: Type): boolean {
  const definition = definitionOf(type);
  return definition.type === 'object' && isClosedObject(definition);
}

/** Through `optional`, `default`, `z.lazy` and their kin, which hand on what they are given. */
export function unwrapped(type: Type): Type {
  const definition = definitionOf(type);
  const inner = definition.type === 'lazy' ? definition.getter() : definition.type === 'pipe' ? undefined : innerTypeOf(type);
  return inner === undefined ? type : unwrapped(inner);
}
