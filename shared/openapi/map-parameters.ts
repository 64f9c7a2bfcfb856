/** What a list takes whose resource has places on the map. */
import { typesOf } from '../contract/filter-values.ts';
import type { Resource } from '../contract/resource.ts';
import type { Shape } from '../contract/shapes.ts';
import { limits } from '../wire/limits.ts';
import { isJsonObject, type Json } from '../wire/values.ts';
import type { QueryParameter } from './described.ts';
import { exampleOf } from './examples.ts';
import { toJsonSchema } from './json-schema.ts';

const metresExample = 5_000;
const decimal = '-?\\d{1,3}(\\.\\d{1,20})?';

/** `shown`: examples by the names of parameters. */
export function mapParametersOf(shapes: readonly Shape[], shown: ReadonlyMap<string, Json>): readonly QueryParameter[] {
  const placed = shapes.filter(({ place }) => place !== undefined);
  if (placed.length === 0) return [];
  const names = `Shapes: ${placed.map(({ name }) => name).join(', ')}.`;
  const exampleFor = (name: string) => (shown.has(name) ? { example: shown.get(name) ?? null } : {});
  return [
    {
      name: 'near', schema: { type: 'string', pattern: `^${decimal},${decimal}$` }, ...exampleFor('near'),
      description: `What lies around this point, \`<longitude>,<latitude>\`, the nearest first; \`distance\` says how far. ${names}`,
    },
    {
      name: 'distance', schema: { type: 'number', minimum: 0, maximum: limits.nearMetresMax }, ...exampleFor('distance'),
      description: 'Metres from `near` on a sphere of the earth\'s mean radius, up to three decimals.',
    },
    {
      name: 'within', schema: { type: 'string' },
      description: 'What lies in a box, `<west>,<south>,<east>,<north>`, over the date line where west is greater than east, or in a ' +
        `Polygon or MultiPolygon of GeoJSON with up to ${limits.polygonPositionsMax} positions, whose edges are straight lines of ` +
        `longitude and latitude. ${names}`,
    },
  ];
}

/** A question that the example of the place answers. */
export function nearExampleOf(resource: Resource, { place = '' }: Shape): readonly (readonly [name: string, value: Json | undefined])[] {
  const type = typesOf(resource).get(place);
  const point = type === undefined ? undefined : exampleOf(toJsonSchema(type, 'input'));
  const coordinates = isJsonObject(point) ? point['coordinates'] : undefined;
  return [['near', Array.isArray(coordinates) ? coordinates.slice(0, 2).join() : undefined], ['distance', metresExample]];
}
