/** The description of the API is bounded: an isolate keeps it whole. */
import { expect, test } from 'bun:test';
import { Description } from '../../../edge/description/description.ts';
import { edgeLimits } from '../../../edge/limits.ts';
import { descriptionFiles } from '../../../origin/dev/edge-assets.ts';
import { localAssets } from '../../../origin/dev/local-assets.ts';
import { served } from '../../../shared/resources/all.ts';
import { offered } from '../../../shared/resources/plans.ts';
import { descriptionFile } from '../../../shared/wire/edge-paths.ts';

const { versions } = served;
const answering = (answer: (path: string) => Response) => new Description({ asset: async (path) => answer(path) }, versions);

test('it is read once, and is no larger than the resources and the rest of the sample', async () => {
  const description = answering((path) => localAssets({ url: `https://assets.test${path}`, headers: new Headers() }));
  const written = await description.mustWritten(versions.current);
  expect(await description.mustWritten(versions.current)).toBe(written);
  const text = descriptionFiles(served, offered).get(descriptionFile(versions.current.name));
  expect(new TextDecoder().decode(written.bytes)).toBe(text ?? '');
  expect(written.bytes.length).toBeLessThan((served.resources.size + 1) * 60_000);
  expect(edgeLimits.descriptionBytesMax).toBeGreaterThan(written.bytes.length * 5);
});

test('a file that is not there, or outgrows the bound, is no description', async () => {
  const missing = answering(() => new Response('', { status: 404 }));
  await expect(missing.mustWritten(versions.current)).rejects.toThrow('misconfigured');
  const outgrown = answering(() => new Response('x'.repeat(edgeLimits.descriptionBytesMax + 1)));
  await expect(outgrown.mustWritten(versions.current)).rejects.toThrow('the description of this API is larger than an edge keeps');
});
