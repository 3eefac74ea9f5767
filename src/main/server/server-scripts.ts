import { toOneLine } from '../../aggregate/text/format.ts';
import type { WeightedCommand } from '../../workers/contract.ts';
import { scriptsToLoad } from '../../workers/workload/command-templates.ts';
import { requestsOf } from '../../workers/workload/families.ts';
import { type Control, isRefusal, type Request } from './control.ts';

/**
 * Scripts and libraries of functions that commands of the load call. Every master needs them. A script stays in the server's
 * cache until the server forgets all of them: no command removes one. A library is removed after the run, if the run has
 * loaded it.
 */
export class ServerScripts {
  readonly #control: Control;
  readonly #scripts: readonly string[];
  readonly #libraries: readonly string[];
  /** Names of the libraries that this run has loaded. */
  readonly #loaded = new Set<string>();

  constructor(control: Control, commands: readonly WeightedCommand[], libraries: readonly string[]) {
    this.#control = control;
    this.#scripts = scriptsToLoad(requestsOf(commands).map(({ request }) => request));
    this.#libraries = libraries;
  }

  /** @returns what the server refused, as sentences @throws PoolbenchError TARGET_LOST */
  async load(): Promise<string[]> {
    if (this.#scripts.length + this.#libraries.length === 0) return [];
    const refusals: string[] = [];
    for (const node of await this.#control.findNodes()) {
      for (const script of this.#scripts) {
        const { refusal } = await ask(node, ['SCRIPT', 'LOAD', script]);
        if (refusal !== undefined)
          refusals.push(`the server did not load a script, so EVALSHA fails: ${refusal}`);
      }
      for (const library of this.#libraries) {
        const { value, refusal } = await ask(node, ['FUNCTION', 'LOAD', library]);
        if (refusal === undefined) this.#loaded.add(String(value));
        else if (!(await hasLibrary(node, library)))
          refusals.push(
            `the server did not load a library of workload.functions, so FCALL fails or calls another library: ${refusal}`,
          );
      }
    }
    return refusals;
  }

  /** Removes the libraries that this run has loaded. @returns what is left, as sentences @throws PoolbenchError TARGET_LOST */
  async remove(): Promise<string[]> {
    const left: string[] = [];
    if (this.#loaded.size === 0) return left;
    for (const node of await this.#control.findNodes())
      for (const name of this.#loaded) left.push(...(await removeLibrary(node, name)));
    return left;
  }
}

/**
 * Names of the libraries that a run is about to load, because a server does not have them.
 *
 * @throws PoolbenchError TARGET_LOST
 */
export async function missingLibraries(control: Control, libraries: readonly string[]): Promise<string[]> {
  if (libraries.length === 0) return [];
  const missing = new Set<string>();
  for (const node of await control.findNodes())
    for (const name of libraries.map(nameOfLibrary)) {
      const { value } = await ask(node, ['FUNCTION', 'LIST', 'LIBRARYNAME', name]);
      if (Array.isArray(value) && value.length === 0) missing.add(name);
    }
  return [...missing];
}

/**
 * Removes the libraries that a run had loaded when it was killed, if they still have its text.
 *
 * @param libraries the texts of the run's libraries
 * @returns what is left, as sentences
 * @throws PoolbenchError TARGET_LOST
 */
export async function removeLibraries(
  control: Control,
  names: readonly string[],
  libraries: readonly string[],
): Promise<string[]> {
  const left: string[] = [];
  if (names.length === 0) return left;
  for (const node of await control.findNodes())
    for (const library of libraries) {
      const name = nameOfLibrary(library);
      if (names.includes(name) && (await hasLibrary(node, library)))
        left.push(...(await removeLibrary(node, name)));
    }
  return left;
}

/** @returns what is left, as a sentence */
async function removeLibrary(node: Control, name: string): Promise<string[]> {
  const { refusal } = await ask(node, ['FUNCTION', 'DELETE', name]);
  // A server that was restarted does not have it any more.
  if (refusal === undefined || /library not found/i.test(refusal)) return [];
  return [`the library ${name} of workload.functions could not be removed from the server: ${refusal}`];
}

/** Whether the server has exactly this library, as an earlier run or somebody else has loaded it. */
async function hasLibrary(node: Control, library: string): Promise<boolean> {
  const { value } = await ask(node, ['FUNCTION', 'LIST', 'LIBRARYNAME', nameOfLibrary(library), 'WITHCODE']);
  return Array.isArray(value) && value.flat(2).includes(library);
}

function nameOfLibrary(library: string): string {
  return /name=(\w+)/.exec(library)?.[1] ?? '';
}

async function ask(node: Control, request: Request): Promise<{ value?: unknown; refusal?: string }> {
  try {
    return { value: await node.call(...request) };
  } catch (error) {
    if (isRefusal(error)) return { refusal: toOneLine(error.message) };
    throw error;
  }
}
