/**
 * Loaded before a program of the project (`bun --preload`): what it then finds in two files of `shared/resources` are
 * declarations with mistakes.
 */
const declarations: Readonly<Record<string, string>> = {
  films: `
    rules: { read: anyone, write: not(equals('lokced', true)) }, schema: z.object({ title: z.string(), shown: z.date() }),
    shapes: { all: {} }, live: 'yes'
  `,
  orders: `rules: { read: role }, schema: z.object({ seats: z.int() }), id: 'objectid'`,
};

Bun.plugin({
  name: 'mistaken-declarations',
  setup(build) {
    build.onLoad({ filter: /shared\/resources\/(films|orders)\.ts$/ }, ({ path }) => {
      const name = /(\w+)\.ts$/.exec(path)?.[1] ?? '';
      const imports = `
        import * as z from 'zod';
        import { resource } from '../contract/resource.ts';
        import { anyone, equals, not, role } from '../contract/rules.ts';
      `;
      return { loader: 'ts', contents: `${imports}export const ${name} = resource({ name: '${name}', ${declarations[name]} });\n` };
    });
  },
});
