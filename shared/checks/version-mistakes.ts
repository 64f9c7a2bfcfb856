/** What is wrong with versions, and with the changes between them that resources and endpoints declare. */
import { placeOf, type Resource } from '../contract/resource.ts';
import { fieldsOf } from '../contract/schema-fields.ts';
import { isEndpoint, placeOf as placeOfEndpoint } from '../operations/endpoint.ts';
import type { Operation } from '../operations/operation.ts';
import { changesOf, placesOf, translationOf } from '../versions/dialect.ts';
import { isVersionName, type VersionDeclaration, type Versions } from '../versions/versions.ts';
import { checkChanges } from './change-checks.ts';
import { Mistakes, type Refuse, refuseUnknown } from './mistakes.ts';

const keys = ['name', 'deprecated', 'sunset', 'link'] as const;

/** `resources` have no mistakes of their own. */
export function versionMistakes(versions: Versions, resources: readonly Resource[], rows: readonly Operation[]): readonly string[] {
  const ofChanges = new Map(resources.map((resource) => [resource, changeMistakes(versions, resource)]));
  const ofEndpoints = rows.filter(isEndpoint).filter(({ of }) => resources.includes(of)).flatMap((endpoint) => {
    const mistakes = new Mistakes(placeOfEndpoint(endpoint));
    for (const part of ['input', 'output'] as const) {
      checkChanges(changesOf(endpoint, part), versions, placesOf(fieldsOf(endpoint[part])), (key, detail) =>
        mistakes.add(`versions.${key}.${part}`, detail));
    }
    return mistakes.found;
  });
  // What is wrong cannot be followed.
  const followed = resources.filter((resource) => ofChanges.get(resource)?.length === 0);
  return [
    ...relationMistakes(versions, followed), ...declarationMistakes(versions), ...[...ofChanges.values()].flat(), ...ofEndpoints,
  ];
}

function changeMistakes(versions: Versions, resource: Resource): readonly string[] {
  const mistakes = new Mistakes(placeOf(resource));
  checkChanges(resource.versions, versions, placesOf([...resource.fields.values()]), mistakes.at('versions.'));
  return mistakes.found;
}

/** Names of relations that an older version has for something else. */
function relationMistakes(versions: Versions, resources: readonly Resource[]): readonly string[] {
  return resources.flatMap((resource) => versions.all.flatMap((version) => {
    const mistakes = new Mistakes(placeOf(resource));
    const translation = version === versions.current ? undefined : translationOf(versions, resource, version);
    for (const name of translation === undefined ? [] : Object.keys(resource.relations)) {
      const isSameField = resource.fields.has(name) && translation?.oldNames(name).includes(name) === true;
      if (translation?.levels[0]?.old.has(name) === true && !isSameField) {
        mistakes.add(`relations.${name}`, `"${name}" is a place of ${version.name}; relations are called the same in every version`);
      }
    }
    return mistakes.found;
  }));
}

function declarationMistakes({ declared }: Versions): readonly string[] {
  const mistakes = new Mistakes('shared/resources/versions.ts');
  for (const each of declared) checkVersion(each, mistakes.at(`version "${String(each.name)}": `));
  for (const name of new Set(declared.map((each) => each.name))) {
    if (declared.filter((each) => each.name === name).length > 1) mistakes.add(`version "${name}"`, 'is declared more than once');
  }
  const current = declared.at(-1);
  if ([current?.deprecated, current?.sunset].some((text) => text !== undefined && isMoment(text))) {
    mistakes.add(`version "${String(current?.name)}"`, 'is the current one: declare the next before this is deprecated');
  }
  return mistakes.found;
}

function checkVersion(declared: VersionDeclaration, refuse: Refuse): void {
  const { name, deprecated, sunset, link } = declared;
  refuseUnknown(declared, keys, refuse);
  if (!isVersionName(name)) refuse('name', 'must be v and a whole number, as in "v2"');
  for (const [key, text] of Object.entries({ deprecated, sunset })) {
    if (text !== undefined && !isMoment(text)) refuse(key, 'must be a day or an instant in UTC, as in "2027-06-30"');
  }
  if (link !== undefined && !/^https?:\/\/[^\s<>"]+$/.test(link)) refuse('link', 'must be an http or https address');
  // RFC 9745 §4: what is gone was deprecated before.
  const [leftAt, goneAt] = [deprecated, sunset].map((text) => (text !== undefined && isMoment(text) ? Date.parse(text) : undefined));
  if (goneAt !== undefined && (leftAt === undefined || leftAt > goneAt)) refuse('sunset', 'must not be before deprecated');
}

function isMoment(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?Z)?$/.test(text) && !Number.isNaN(Date.parse(text));
}
