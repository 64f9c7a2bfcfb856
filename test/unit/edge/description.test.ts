/** The description of the API is bounded: an isolate keeps it whole. */
import { expect, test } from 'bun:test';
import { Description } from '../../../edge/description/description.ts';
import { edgeLimits } from '../../../edge/limits.ts';
import { localAssets } from '../../../origin/dev/local-assets.ts';
import { served } from '../../../shared/resources/all.ts';
import { toOpenapiText } from '../../support/openapi.ts';

const { versions } = served;
const answering = (answer: (path: string) => Response | Promise<Response>, hasPeople = false) =>
  new Description({ asset: async (path) => answer(path) }, versions, hasPeople);

test.each([false, true])('it is read once, and is no larger than the sample (with people: %s)', async (hasPeople) => {
  const description = answering((path) => localAssets({ url: `https://assets.test${path}`, headers: new Headers() }), hasPeople);
  const written = await description.mustWritten(versions.current);
  expect(await description.mustWritten(versions.current)).toBe(written);
  const text = await toOpenapiText(hasPeople);
  expect(new TextDecoder().decode(written.bytes)).toBe(text);
  expect(text.includes('/auth/sign-in/email')).toBe(hasPeople);
  expect(written.bytes.length).toBeLessThan((served.resources.size + 1 + Number(hasPeople)) * 60_000);
  expect(edgeLimits.descriptionBytesMax).toBeGreaterThan(written.bytes.length * 4);
}, 30_000);

test('a file that is not there, or outgrows the bound, is no description', async () => {
  const missing = answering(() => new Response('', { status: 404 }));
  await expect(missing.mustWritten(versions.current)).rejects.toThrow('misconfigured');
  const outgrown = answering(() => new Response('x'.repeat(edgeLimits.descriptionBytesMax + 1)));
  await expect(outgrown.mustWritten(versions.current)).rejects.toThrow('the description of this API is larger than an edge keeps');
});
