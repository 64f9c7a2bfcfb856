/** The description of the API is bounded: an isolate keeps it whole. */
import { expect, test } from 'bun:test';
import * as z from 'zod';
import { Description } from '../../../edge/description/description.ts';
import { edgeLimits } from '../../../edge/limits.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { served } from '../../../shared/resources/all.ts';
import { noVersions } from '../../../shared/versions/versions.ts';
import { offered } from '../../../shared/resources/plans.ts';

test('it is built once, and of a contract that outgrows the bound it is none', () => {
  const description = new Description(served, offered);
  expect(description.mustWritten(served.versions.current)).toBe(description.mustWritten(served.versions.current));
  expect(description.mustWritten(served.versions.current).bytes.length).toBeLessThan(250_000);
  const long = z.string().meta({ description: 'x'.repeat(1_000) });
  const resources = Array.from({ length: 90 }, (_, index) => resource({
    name: `things-${index}`, rules: { read: anyone, write: anyone }, shapes: { all: {} },
    schema: z.object(Object.fromEntries(Array.from({ length: 10 }, (_unused, field) => [`f${field}`, long]))),
  }));
  const outgrown = new Description(contract(...resources), offered);
  expect(() => outgrown.mustWritten(noVersions.current)).toThrow('misconfigured: the description of this API is larger than an edge keeps');
  expect(edgeLimits.descriptionBytesMax).toBeGreaterThan(100 * 25_000);
});
