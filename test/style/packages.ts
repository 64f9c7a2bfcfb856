/** A package that is imported by name is in the package.json next above: what is brought along by others may go. */
import { type Complaint, importsOf, type Module, type Source } from './source.ts';

/** What the runtimes bring. */
const builtIn = /^(?:\.|node:|bun:|cloudflare:|bun$)/;

export function findUndeclaredPackages(modules: readonly Module[], sources: readonly Source[]): Complaint[] {
  const manifests = sources.filter(({ path }) => /(^|\/)package\.json$/.test(path))
    .map(({ path, text }) => ({ folder: path.slice(0, -'package.json'.length), declared: toDeclared(text) }))
    .sort((one, other) => other.folder.length - one.folder.length);
  return modules.flatMap((module) => {
    const manifest = manifests.find(({ folder }) => module.path.startsWith(folder));
    return importsOf(module)
      .filter(({ specifier }) => !builtIn.test(specifier) && manifest?.declared.has(toPackage(specifier)) !== true)
      .map(
        ({ specifier, start }) =>
          `${module.path}:${module.line(start)} ${specifier} is not declared in ${manifest?.folder ?? ''}package.json`,
      );
  });
}

function toDeclared(text: string): ReadonlySet<string> {
  const { dependencies = {}, devDependencies = {} } = JSON.parse(text) as { readonly [key: string]: Record<string, string> };
  return new Set([...Object.keys(dependencies), ...Object.keys(devDependencies)]);
}

/** `mingo` of `mingo/core`, `@hono/zod-validator` whole. */
function toPackage(specifier: string): string {
  return specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
}
