// Builds the WebAssembly modules: AssemblyScript sources (src/ml/kernels/assembly, named .as so that no TypeScript tool
// takes them for its own), kept as base64 text beside the code that runs them. A test builds them again and compares.
// Usage: node tools/build-kernels.ts
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as compiler from 'assemblyscript/asc';

const folder = fileURLToPath(new URL('../src/ml/', import.meta.url));

/** A module that is checked in: its main source, where its text lies and under which name. */
export interface KernelModule {
  source: string;
  path: string;
  constant: string;
  what: string;
  isShared: boolean;
}

export const kernelModules: readonly KernelModule[] = [
  {
    source: 'kernels',
    path: 'kernels/module.ts',
    constant: 'moduleBase64',
    what: 'The kernels of training, for memory of one thread',
    isShared: false,
  },
  {
    source: 'kernels',
    path: 'kernels/module.ts',
    constant: 'sharedModuleBase64',
    what: 'The kernels of training, for memory that threads share',
    isShared: true,
  },
  {
    source: 'walk',
    path: 'model/walk-module.ts',
    constant: 'walkModuleBase64',
    what: 'The walk of rows through trees',
    isShared: false,
  },
];

/** The module in base64. @throws Error with the compiler's messages */
export async function buildKernels({ source, isShared }: KernelModule): Promise<string> {
  let bytes: Uint8Array | undefined;
  const { error, stderr } = await compiler.main(
    [
      `${source}.ts`,
      '--outFile=kernels.wasm',
      '-O3',
      '--converge',
      '--noAssert',
      '--runtime=stub',
      '--enable=simd',
      '--importMemory',
      '--noExportMemory',
      ...(isShared ? ['--enable=threads', '--sharedMemory', '--maximumMemory=65535'] : []),
    ],
    {
      // The compiler knows its sources by the ending .ts.
      readFile: (name) => {
        if (!/^[\w-]+\.ts$/.test(name)) return null;
        try {
          return readFileSync(join(folder, 'kernels/assembly', name.replace(/ts$/, 'as')), 'utf8');
        } catch {
          return null;
        }
      },
      writeFile: (_name, contents) => {
        bytes = contents as Uint8Array;
      },
      listFiles: () => [],
    },
  );
  if (error || !bytes) throw new Error(`the kernels do not compile:\n${stderr.toString()}`);
  return Buffer.from(bytes).toString('base64');
}

if (import.meta.main) {
  const texts = new Map<string, string[]>();
  for (const module of kernelModules) {
    const text = await buildKernels(module);
    const { path, what, constant } = module;
    const parts = texts.get(path) ?? ['// Made by tools/build-kernels.ts from assembly/*.as: do not edit.\n'];
    texts.set(path, [...parts, `/** ${what}, as base64. */\nexport const ${constant} =\n  '${text}';\n`]);
    console.log(`${constant}: ${Math.floor((text.length * 3) / 4)} bytes`);
  }
  for (const [path, parts] of texts) writeFileSync(join(folder, path), parts.join('\n'));
}
