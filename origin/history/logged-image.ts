/**
 * A document as a log keeps it: what its schema names, which is shown, and beside that what its rules ask of and the rest does
 * not tell, which nobody is shown. So a rule holds of an image if it held of the document as it was stored (SEMANTICS §21).
 */
import { valueAt } from '../../shared/contract/path.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { mentionsOf, nobody, type Predicate, satisfies } from '../../shared/contract/rules.ts';
import { bytesRank, toldRank, withRanks } from '../../shared/contract/stored-ranks.ts';
import { madeOnce } from '../../shared/remember.ts';
import {
  isJsonObject, isNumeric, type Json, type JsonObject, ownOf, type ScalarKind, toSortValue,
} from '../../shared/wire/values.ts';
import type { Asked } from '../call.ts';
import { declaredIn } from '../documents/declared.ts';
import { shownOf } from '../documents/hidden-places.ts';
import { guardedFields } from '../documents/present.ts';
import { StoredDocument } from '../store/stored-document.ts';

export interface LoggedImage {
  /** The declared fields as JSON, with the id. */
  readonly text: string;
  /** By path as JSON: the value, with its bracket where the engine told it, or `[]` for what is no plain value. */
  readonly beside: string | undefined;
}

export function toImage(resource: Resource, document: StoredDocument | undefined): LoggedImage | undefined {
  if (document === undefined) return undefined;
  const declared = declaredIn(resource, document);
  const noted = askedOf(resource).filter((path) => isOpen(resource, declared.value, path) || isUnlike(resource, document.value, path));
  const beside = noted.map((path) => [path, toBeside(document.value, path)] as const);
  return { text: declared.text, beside: beside.length === 0 ? undefined : JSON.stringify(Object.fromEntries(beside)) };
}

/** The image as the caller may see it; `null`: it is not there, or not theirs to see. */
export function shownImage(
  { resource, principal, id, rights: { writable } }: Asked, image: LoggedImage | undefined,
): JsonObject | null {
  if (image === undefined) return null;
  const document = new StoredDocument(id, image.text);
  const beside = image.beside === undefined ? {} : (JSON.parse(image.beside) as JsonObject);
  const toAsked = (path: string): JsonObject | undefined => {
    const told = ownOf(beside, path);
    if (told !== undefined) return fromBeside(path, told);
    return isOpen(resource, document.value, path) ? undefined : document.value;
  };
  if (!holds(writable, toAsked)) return null;
  const hidden = guardedFields(resource, principal).filter(([, rule]) => !holds(rule, toAsked)).map(([path]) => path);
  return shownOf(declaredIn(resource, document).value, hidden);
}

/** Of what nobody can tell any more no comparison holds, in either polarity. */
function holds(rule: Predicate, toAsked: (path: string) => JsonObject | undefined): boolean {
  if (typeof rule === 'boolean') return rule;
  const isHeld = (part: Predicate) => holds(part, toAsked);
  if ('of' in rule) return rule.kind === 'all' ? rule.of.every(isHeld) : rule.of.some(isHeld);
  const asked = toAsked(rule.field);
  return asked !== undefined && satisfies(asked, rule);
}

/** Whether the declared fields leave open what stood there: it may have been cut out, or be a number that is shown as text. */
function isOpen({ fields }: Resource, declared: JsonObject, path: string): boolean {
  const field = fields.get(path);
  const value = valueAt(declared, path) ?? null;
  if (value === null) return field?.isOfBranches === true;
  return typeof value === 'string' && isNumeric(field?.kind ?? '');
}

/** Whether it is stored in another bracket than its form on the wire tells. */
function isUnlike({ fields }: Resource, document: JsonObject, path: string): boolean {
  const rank = toldRank(document, path);
  if (rank === undefined) return false;
  const value = valueAt(document, path);
  const kind = fields.get(path)?.kind;
  return rank !== (kind === 'binary' && typeof value === 'string' ? bytesRank : toSortValue(value, kind as ScalarKind).rank);
}

/** Fields that rules ask of; as declared, since the system writes under other rules. */
const askedOf = madeOnce(({ declared: { rules = {}, fieldRules = {} } }: Resource): readonly string[] =>
  [...mentionsOf([rules.history ?? nobody, ...Object.values(fieldRules).flatMap(({ read }) => read ?? [])]).fields]);

function toBeside(document: JsonObject, path: string): Json {
  const value = valueAt(document, path) ?? null;
  if (typeof value === 'object' && value !== null) return [];
  const rank = toldRank(document, path);
  return rank === undefined ? value : { value, rank };
}

function fromBeside(path: string, told: Json): JsonObject {
  const { value = null, rank } = isJsonObject(told) ? told : { value: told };
  const [last = '', ...above] = path.split('.').reverse();
  const document = above.reduce<JsonObject>((inner, step) => ({ [step]: inner }), { [last]: value });
  return withRanks(document, () => (typeof rank === 'number' ? rank : undefined));
}
