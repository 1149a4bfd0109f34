// Builds the WebAssembly kernels: AssemblyScript sources (src/ml/kernels/assembly, named .as so that no TypeScript tool
// takes them for its own) into two modules, for memory of one thread and for memory that threads share, kept as base64
// text in src/ml/kernels/module.ts. A test builds them again and compares. Usage: node tools/build-kernels.ts
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as compiler from 'assemblyscript/asc';

const folder = fileURLToPath(new URL('../src/ml/kernels/', import.meta.url));

/** The module's bytes. @throws Error with the compiler's messages */
export async function buildKernels({ isShared }: { isShared: boolean }): Promise<Uint8Array> {
  let bytes: Uint8Array | undefined;
  const { error, stderr } = await compiler.main(
    [
      'kernels.ts',
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
          return readFileSync(join(folder, 'assembly', name.replace(/ts$/, 'as')), 'utf8');
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
  return bytes;
}

if (import.meta.main) {
  const constants: string[] = [];
  for (const isShared of [false, true]) {
    const bytes = await buildKernels({ isShared });
    const name = isShared ? 'sharedModuleBase64' : 'moduleBase64';
    const memory = isShared ? 'memory that threads share' : 'memory of its own';
    constants.push(
      `/** The WebAssembly module of the kernels for ${memory}, in base64. */\nexport const ${name} =\n  '${Buffer.from(bytes).toString('base64')}';\n`,
    );
    console.log(`${name}: ${bytes.length} bytes`);
  }
  const head = '// Made by tools/build-kernels.ts from assembly/*.as: do not edit.\n';
  writeFileSync(join(folder, 'module.ts'), [head, ...constants].join('\n'));
}
