/** What is wrong with read models: each by itself, and all of them together. With any, nothing starts. */
import type { Contract } from '../../shared/contract/contract.ts';
import { DeclarationError, Mistakes, refuseUnknown } from '../../shared/checks/mistakes.ts';
import { anyone, mentionsOf } from '../../shared/contract/rules.ts';
import { isActionName } from '../../shared/contract/reserved-names.ts';
import type { AfterCommit } from '../after-commit/after-commit.ts';
import type { ReadModel, Source } from './read-model.ts';
import { orderOf } from './rows.ts';

const keys = ['name', 'version', 'from', 'into', 'make'];
/** Those of which each value is one text wherever it stands. */
const keyKinds: readonly unknown[] = ['string', 'uuid', 'objectId'];

export function mustReadModels(models: readonly ReadModel[], hooks: readonly AfterCommit[], { resources }: Contract): void {
  const mistakes = new Mistakes('origin/hooks/all.ts');
  for (const model of models) {
    const refuse = (key: string, detail: string) => mistakes.add(`read model "${model.name}": ${key}`, detail);
    refuseUnknown(model, keys, refuse);
    if (typeof model.name !== 'string' || !isActionName(model.name)) refuse('name', 'must be lower-case letters, digits and hyphens');
    if (models.some((other) => other !== model && other.name === model.name)) refuse('name', 'more than one has this name');
    if (typeof (model.version ?? '') !== 'string') refuse('version', 'must be a text');
    if (typeof model.make !== 'function') refuse('make', 'must be a function');
    checkRows(model, resources, refuse);
    if (model.from.length === 0) refuse('from', 'names no resource');
    for (const source of model.from) checkSource(model, source, resources, refuse);
    if (models.some((other) => other !== model && other.into.name === model.into.name)) refuse('into', 'another model makes its rows');
    const writing = hooks.find(({ writes }) => writes.some(({ name }) => name === model.into.name));
    if (writing !== undefined) refuse('into', `hook "${writing.name}" writes it`);
    if (reaches(model, model.into.name, models)) refuse('from', 'is made of its own rows, which would never end');
  }
  if (mistakes.found.length > 0) throw new DeclarationError(mistakes.found);
}

type Refuse = (key: string, detail: string) => void;

function checkRows({ into }: ReadModel, served: Contract['resources'], refuse: Refuse): void {
  if (!served.has(into.name)) refuse('into', `"${into.name}" is not served`);
  for (const right of ['create', 'update', 'remove'] as const) {
    if (into.rules[right].kind !== 'nobody') refuse('into', `"${into.name}" lets callers ${right}: its rule is nobody's`);
  }
  if (into.removal !== undefined) refuse('into', `"${into.name}" keeps what is removed, and a row is made anew`);
  if (into.idKind === 'integer') refuse('into', `the ids of "${into.name}" are numbers, and a key is a text`);
}

function checkSource({ from }: ReadModel, source: Source, served: Contract['resources'], refuse: Refuse): void {
  const { of, by } = source;
  if (!served.has(of.name)) return refuse('from', `"${of.name}" is not served`);
  if (from.some((other) => other !== source && other.of.name === of.name)) refuse('from', `"${of.name}" stands there twice`);
  const { claims, roles, signedIn } = mentionsOf([source.where ?? anyone]);
  if (claims.size > 0 || roles.size > 0 || signedIn) refuse('from', `"where" of "${of.name}" asks who asks, and nobody does`);
  if (by === 'id') return of.idKind === 'integer' ? refuse('from', `the ids of "${of.name}" are numbers, and a key is a text`) : undefined;
  const kind = of.fields.get(by)?.kind;
  if (by.includes('.') || !keyKinds.includes(kind)) return refuse('from', `"${by}" of "${of.name}" must be a field of one text`);
  if (orderOf(source) !== undefined) return;
  refuse('from', `"${of.name}" has no shape { equal: ['${by}'] } whose index finds these documents: its read rule needs what "where" asks`);
}

/** Whether a change of that resource is a change of the model's rows. */
function reaches(model: ReadModel, name: string, models: readonly ReadModel[], seen: readonly ReadModel[] = []): boolean {
  if (seen.includes(model)) return false;
  return model.from.some(({ of }) =>
    of.name === name || models.some((other) => other.into.name === of.name && reaches(other, name, models, [...seen, model])));
}
