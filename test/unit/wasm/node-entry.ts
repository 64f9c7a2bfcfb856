/**
 * What runs inside Node: every vector. The module's path is the argument, vectors come as standard input, the outcome goes
 * to standard output.
 */
import { readFileSync } from 'node:fs';
import { TransformInstance } from '../../../shared/transforms/instance.ts';
import { checkAll, type VectorFiles } from './check-all.ts';

const [moduleFile = ''] = process.argv.slice(2);
const files = JSON.parse(readFileSync(0, 'utf8')) as VectorFiles;
const instance = new TransformInstance(new WebAssembly.Module(readFileSync(moduleFile)));
console.log(JSON.stringify(checkAll(instance, files)));
