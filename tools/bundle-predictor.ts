// Bundles the predictor as its users would: what opens a model file and answers with it, and nothing else, in one
// module for browsers, edge runtimes and Node alike. And the explainer, which also says why.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const predictor = "export { openModel } from './src/ml/model/model.ts';";
export const explainer = `${predictor} export { openExplainer } from './src/ml/explain/explainer.ts';`;

/** A module, and what it is made of. */
export interface Bundle {
  code: string;
  /** What it would load from elsewhere. */
  imports: string[];
  /** Sources in it, as paths from the root of the project. */
  sources: string[];
}

/** One minified module of what `source` exports; without it, of the predictor. Paths in it begin at the root. */
export async function bundlePredictor(source = predictor): Promise<Bundle> {
  const entry = join(root, 'predictor.ts');
  const bundle = await rolldown({
    cwd: root,
    input: entry,
    platform: 'browser',
    logLevel: 'warn',
    plugins: [{ name: 'entry', load: (id) => (id === entry ? source : null), resolveId: resolveEntry }],
  });
  const { output } = await bundle.generate({ format: 'esm', minify: true, codeSplitting: false });
  await bundle.close();
  const [module] = output;
  const sources = Object.entries(module.modules)
    .filter(([, { renderedLength }]) => renderedLength > 0)
    .map(([path]) => path.slice(root.length + 1));
  return { code: module.code, imports: [...module.imports, ...module.dynamicImports], sources };

  function resolveEntry(id: string): string | null {
    return id === entry ? id : null;
  }
}
