/**
 * Values that a schema allows: those that it names (`.meta({ examples: [...] })`), and else the plainest of the type. JSON
 * Schema says less than zod does, so whoever shows one asks the schema itself first.
 */
import type { Json, JsonObject } from '../wire/values.ts';

const ofFormats: Readonly<Record<string, string>> = {
  uuid: '01890a5d-ac96-774b-bcce-b302099a8057', 'date-time': '2026-01-31T12:00:00.000Z', date: '2026-01-31', time: '12:00:00',
  uri: 'https://example.com/', email: 'someone@example.com',
};

/** `undefined` where none is known: a pattern does not tell what it matches. */
export function exampleOf(schema: JsonObject): Json | undefined {
  const { examples, const: only, enum: choices, default: standard, anyOf: options, format, pattern } = schema;
  for (const named of [examples, choices]) if (Array.isArray(named) && named.length > 0) return named[0] as Json;
  if (only !== undefined) return only;
  if (typeof format === 'string' && ofFormats[format] !== undefined) return ofFormats[format];
  if (standard !== undefined) return standard;
  if (Array.isArray(options)) return options.map((option) => exampleOf(option as JsonObject)).find((example) => example !== undefined);
  return pattern === undefined ? ofType(schema) : undefined;
}

function ofType(schema: JsonObject): Json | undefined {
  switch (schema['type']) {
    case 'string':
      return 'text'.padEnd(Number(schema['minLength'] ?? 0), ' text').slice(0, Number(schema['maxLength'] ?? Infinity));
    case 'integer':
    case 'number':
      return numberOf(schema);
    case 'boolean':
      return true;
    case 'null':
      return null;
    case 'array':
      return [];
    case 'object':
      return objectOf(schema);
    default:
      return undefined;
  }
}

function numberOf({ minimum, exclusiveMinimum, maximum }: JsonObject): number {
  if (typeof minimum === 'number' && minimum > Number.MIN_SAFE_INTEGER) return minimum;
  if (typeof exclusiveMinimum === 'number') return exclusiveMinimum + 1;
  return Math.min(1, Number(maximum ?? 1));
}

/** What is required, and what the schema itself has an example of; `undefined` where a required member has none. */
function objectOf({ properties = {}, required = [] }: JsonObject): JsonObject | undefined {
  const demanded = new Set(Array.isArray(required) ? required : []);
  const entries = Object.entries(properties as JsonObject)
    .filter(([name, schema]) => demanded.has(name) || Array.isArray((schema as JsonObject)['examples']))
    .map(([name, schema]) => [name, exampleOf(schema as JsonObject)] as const);
  return entries.some(([, value]) => value === undefined) ? undefined : (Object.fromEntries(entries) as JsonObject);
}
