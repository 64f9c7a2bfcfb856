/** The query string of a state endpoint as its input: each parameter is read as the type that the schema gives it. */
import type * as z from 'zod';
import { definitionOf, isScalarKind, kindOfType } from '../contract/fields.ts';
import { closed, unwrapped } from '../contract/open-schema.ts';
import { parametersRefused, toParameters } from '../wire/parameters.ts';
import { isNumeric, type Scalar } from '../wire/values.ts';

/** What it throws names each parameter that is wrong, those that nobody knows among them. */
export function parseInput(schema: z.ZodObject, query: string): unknown {
  const given = Object.fromEntries([...toParameters(query)].map(([name, text]) => [name, fromText(schema.shape[name], text)]));
  const parsed = closed(schema).safeParse(given);
  if (parsed.success) return parsed.data;
  throw parametersRefused(parsed.error.issues.flatMap((issue): (readonly [string, string])[] => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => [key, 'unknown parameter']);
    const name = issue.path.map(String).join('.');
    return [[name, Object.hasOwn(given, name) ? issue.message : 'is missing']];
  }));
}

/** Whether a text can say a value of this type. */
export function isReadable(type: z.core.$ZodType): boolean {
  const inner = toRead(type);
  return isScalarKind(kindOfType(inner)) || ['enum', 'literal', 'union'].includes(definitionOf(inner).type);
}

/** A text that does not say a value of the type stays one, for the schema to refuse. */
function fromText(type: z.core.$ZodType | undefined, text: string): Scalar {
  const kind = type === undefined ? 'string' : kindOfType(toRead(type));
  if (isNumeric(kind) && /^-?\d{1,20}(\.\d{1,20})?$/.test(text)) return Number(text);
  return kind === 'boolean' && (text === 'true' || text === 'false') ? text === 'true' : text;
}

/** The type that is given a value: of a transform, what it takes. */
function toRead(type: z.core.$ZodType): z.core.$ZodType {
  const inner = unwrapped(type);
  const { in: before } = definitionOf(inner);
  return before === undefined ? inner : toRead(before);
}
