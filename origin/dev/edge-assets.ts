/**
 * The files that the edge hands out as they are: the description of the API in each version, and what the page of `/docs`
 * shows it by, Scalar, whose one file is 1.4 MB gzip, ten times the Worker. wrangler runs this program before it bundles, and
 * a deploy uploads what it writes (`[assets]` of `wrangler.toml`); on this machine the same files are answered from memory.
 * It is also the door of every bundle: with a mistake in what is declared it fails, and so does whatever bundles.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import scalar from '@scalar/fastify-api-reference';
import { DeclarationError } from '../../shared/checks/mistakes.ts';
import { mustBeSound } from '../../shared/checks/sound.ts';
import type { Contract } from '../../shared/contract/contract.ts';
import type { Plans } from '../../shared/limits/plans.ts';
import { toDescription } from '../../shared/openapi/document.ts';
import { edgePathItems } from '../../shared/openapi/edge-paths.ts';
import { toPeoplePart } from '../../shared/openapi/people.ts';
import { served } from '../../shared/resources/all.ts';
import { offered } from '../../shared/resources/plans.ts';
import { descriptionFile, edgePaths } from '../../shared/wire/edge-paths.ts';
import { exitConfiguration } from '../exit-codes.ts';

interface Reply {
  header(name: string, value: string): Reply;
  send(file: string): string;
}

interface Route {
  readonly url: string;
  handler(request: undefined, reply: Reply): string;
}

interface Server {
  readonly initialConfig: object;
  route(route: Route): void;
}

type Plugin = (server: Server, options: object, done: () => void) => void;

/** The package of the same release as `@scalar/api-reference`, whose file it holds without the 280 packages that one brings. */
export function scalarFile(): string {
  const routes: Route[] = [];
  asPlugin(scalar)(
    { initialConfig: {}, route: (route) => routes.push(route) }, { configuration: { url: '/openapi.json' } }, () => undefined,
  );
  const reply: Reply = { header: () => reply, send: (file) => file };
  const file = routes.find(({ url }) => url.endsWith('.js'))?.handler(undefined, reply);
  if (file === undefined) throw new Error('@scalar/fastify-api-reference serves no script any more');
  return file;
}

/** Its types are those of Fastify, which is not here; of a server it asks what `Server` has. */
function asPlugin(plugin: unknown): Plugin {
  return plugin as Plugin;
}

/** Other programs may be writing the same: a file is there as a whole or not at all. */
function write(path: string, text: string): void {
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return;
  mkdirSync(dirname(path), { recursive: true });
  const aside = `${path}.${process.pid}`;
  writeFileSync(aside, text);
  renameSync(aside, path);
}

/** What describes this API, by the paths of its files. */
export async function descriptionFiles(contract: Contract, plans: Plans): Promise<ReadonlyMap<string, string>> {
  const { all, current } = contract.versions;
  const paths = edgePathItems(current);
  // It brings better-auth with it.
  const { peopleEndpoints } = await import('../people/endpoints.ts');
  const people = toPeoplePart(await peopleEndpoints());
  return new Map(all.flatMap((version) => [undefined, people].map((part) => [
    descriptionFile(version.name, part !== undefined), JSON.stringify(toDescription({ contract, plans, paths, people: part }, version)),
  ])));
}

/** The checks are not in the bundle, so that none is made of what they refuse. */
function mustMayBundle(): void {
  try {
    mustBeSound(served, offered);
  } catch (cause) {
    if (!(cause instanceof DeclarationError)) throw cause;
    process.stderr.write(`tombolo edge is not bundled: ${cause.message}\n`);
    process.exit(exitConfiguration);
  }
}

if (import.meta.main) {
  mustMayBundle();
  const assets = join(import.meta.dir, '../../edge/assets');
  write(join(assets, edgePaths.docsScript), scalarFile());
  for (const [path, text] of await descriptionFiles(served, offered)) write(join(assets, path), text);
}
