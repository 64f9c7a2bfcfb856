/**
 * A schema whose values come out in the one form that they have in documents (SEMANTICS §4): every text of a date-time
 * type is an instant, whichever zod form declared it, every UUID is in lower case, and a number is written as it is shown, at any
 * depth.
 */
import * as z from 'zod';
import { type DocumentSchema, withObjects } from './document-schema.ts';
import { definitionOf, type FieldKind, kindOfType, stringKindOf } from './fields.ts';
import { changed, rewritten, type Type, typesWithin } from './schema-tree.ts';
import { toDecimalText, toLong } from '../wire/shown-numbers.ts';
import { toInstant, toUuid } from '../wire/values.ts';

type Check = (payload: z.core.ParsePayload) => void;

/** The canonical schema of documents; it takes no other members, unless it says which. */
export function toCanonicalSchema<Schema extends DocumentSchema>(schema: Schema): Schema {
  const made = new Map<Type, Type>();
  return withObjects(schema, (object) => {
    const fields = Object.entries(object.shape).filter(([, type]) =>
      [...typesWithin(type, '')].some((part) => checkOf(part.type) !== undefined),
    );
    const canonical = object.extend(Object.fromEntries(fields.map(([name, type]) => [name, rewritten(type, toCanonicalType, made)])));
    const { catchall } = object.def;
    return catchall === undefined ? canonical.strict() : canonical.catchall(rewritten(catchall, toCanonicalType, made) as z.ZodType);
  });
}

function toCanonicalType(type: Type): Type {
  const check = checkOf(type);
  if (check !== undefined) return withCheck(type, check);
  return definitionOf(type).type === 'default' ? withCanonicalDefault(type as z.ZodDefault) : type;
}

/** The check runs right after the format's own, so that the team's other checks see the canonical form alone. */
function withCheck(type: Type, check: Check): Type {
  const { checks = [] } = definitionOf(type);
  const behind = checks.findLastIndex(({ _zod }) => _zod.def.format !== undefined && stringKindOf([_zod.def.format]) !== 'string') + 1;
  return changed(type, { checks: checks.toSpliced(behind, 0, z.check(check)) });
}

function checkOf(type: Type): Check | undefined {
  if (!['string', 'custom'].includes(definitionOf(type).type)) return undefined;
  const kind = kindOfType(type);
  return Object.hasOwn(checks, kind) ? checks[kind] : undefined;
}

const checks: Readonly<Partial<Record<FieldKind, Check>>> = {
  instant: asInstant,
  uuid: (payload) => void (payload.value = toUuid(String(payload.value)) ?? payload.value),
  decimal: (payload) => void (payload.value = toDecimalText(String(payload.value)) ?? payload.value),
  long: (payload) => void (payload.value = toLong(payload.value) ?? payload.value),
};

/** What the type itself refuses has been told already. */
function asInstant(payload: z.core.ParsePayload): void {
  if (payload.issues.length > 0) return;
  const canonical = toInstant(String(payload.value));
  if (canonical === undefined) {
    payload.issues.push({ code: 'custom', input: payload.value, message: 'must be a moment between the years 0001 and 9999 in UTC' });
  } else {
    payload.value = canonical;
  }
}

/** zod gives a default as it stands, without a look at what it is a default of. */
function withCanonicalDefault(type: z.ZodDefault): Type {
  const { def } = type;
  return changed(type, {
    get defaultValue() {
      const given = def.defaultValue;
      const parsed = z.safeParse(def.innerType, given);
      return parsed.success ? parsed.data : given;
    },
  });
}
