/**
 * How a server's program comes into the user's cache. As a distribution's packages: that of the server, and that of the
 * tools, because the server's program is a link into it, and an installed one is not fetched. Or as an archive of its
 * release.
 */
type Unpacked =
  | { readonly from: 'distribution package'; readonly packages: readonly string[] }
  | ({ readonly from: 'release archive' } & Release);

/** The archive (.tar.gz) of a release for one kind of machine. */
export interface ReleaseArchive {
  readonly url: string;
  /** Its checksum in hexadecimal digits, as published. Nothing else is ever unpacked. */
  readonly sha256: string;
  /** The path of the program in it. */
  readonly program: string;
}

/** One release, pinned: another version has other checksums. */
export interface Release {
  readonly version: string;
  /** The environment variable that can hold another URL of the same archive. */
  readonly mirror: string;
  /** By platform and architecture, as Node calls them. Only those whose checksum is published. */
  readonly archives: Readonly<Record<string, ReleaseArchive>>;
}

/** What poolbench knows of a server that it can start. */
interface ServerFacts {
  /** The name of its program on PATH, in its image and in its package. */
  readonly program: string;
  readonly image: string;
  readonly unpacked: Unpacked;
  /** How a user installs it without Docker. */
  readonly install: string;
  /** The port that configs and the advice of `howToInstall` use, so that all servers can run side by side. */
  readonly port: number;
  /** Arguments that keep everything in memory. */
  readonly inMemory: readonly string[];
  readonly listen: (place: Place) => readonly string[];
  /** Sets the number of threads that serve clients. */
  readonly threads: (count: number) => readonly string[];
}

/** Where a server listens, and the folder that it has for itself. */
interface Place {
  readonly host: string;
  readonly port: number;
  readonly directory: string;
}

const redisArguments = {
  inMemory: ['--save', '', '--appendonly', 'no'],
  listen: ({ host, port, directory }: Place) => [
    ...['--bind', host, '--port', String(port), '--dir', directory],
    ...['--daemonize', 'no', '--protected-mode', 'yes'],
  ],
  threads: (count: number) => ['--io-threads', String(count)],
};

const dragonflyVersion = '1.35.1';

function dragonflyArchive(machine: string, sha256: string): ReleaseArchive {
  const program = `dragonfly-${machine}`;
  const release = `https://github.com/dragonflydb/dragonfly/releases/download/v${dragonflyVersion}`;
  return { url: `${release}/${program}.tar.gz`, sha256, program };
}

const servers = {
  redis: {
    program: 'redis-server',
    image: 'redis:7',
    unpacked: { from: 'distribution package', packages: ['redis-server', 'redis-tools'] },
    install: 'Debian/Ubuntu: apt install redis-server · macOS: brew install redis',
    port: 6379,
    ...redisArguments,
  },
  valkey: {
    program: 'valkey-server',
    image: 'valkey/valkey:8',
    unpacked: { from: 'distribution package', packages: ['valkey-server', 'valkey-tools'] },
    install:
      'Debian/Ubuntu: apt install valkey-server (Debian 12: from bookworm-backports) · macOS: brew install valkey',
    port: 6381,
    ...redisArguments,
  },
  dragonfly: {
    program: 'dragonfly',
    image: 'docker.dragonflydb.io/dragonflydb/dragonfly',
    unpacked: {
      from: 'release archive',
      version: dragonflyVersion,
      mirror: 'POOLBENCH_DRAGONFLY_URL',
      // The checksums are those of cashapp/hermit-packages, dragonfly.hcl, at commit 7200facf7aea3fa70e4f5d12bc72d747c6e913af.
      archives: {
        'linux-x64': dragonflyArchive(
          'x86_64',
          '55741ed06511df6e0f100aa3f7d4d6c6773f20e3dc730975ec94e9e8e497d4e8',
        ),
        'linux-arm64': dragonflyArchive(
          'aarch64',
          '0410cf1aff87c295d7c8ab1d0371e07d7c0500d2289d252c334f16866c348073',
        ),
      },
    },
    install: 'put its release binary on PATH as "dragonfly"',
    port: 6382,
    inMemory: ['--dbfilename=', '--version_check=false', '--logtostderr'],
    listen: ({ host, port, directory }) => [`--bind=${host}`, `--port=${port}`, `--dir=${directory}`],
    threads: count => [`--proactor_threads=${count}`],
  },
} as const satisfies Record<string, ServerFacts>;

/** A server that poolbench can start. */
export type StartableServer = keyof typeof servers;
export const startable = Object.keys(servers) as readonly StartableServer[];

/** What a config can declare: one of them, or whatever answers. */
export const declarable = [...startable, 'any'] as const;
export type DeclaredServer = StartableServer | 'any';

export function serverFacts(server: StartableServer): ServerFacts {
  return servers[server];
}

/** Arguments for a number of threads that serve clients; none if the server keeps its own default. */
export function threadArguments(server: StartableServer, threads: number | undefined): readonly string[] {
  return threads === undefined ? [] : servers[server].threads(threads);
}

/** How a user gets the server, for Debian and Ubuntu, macOS and Docker. */
export function howToInstall(declared: DeclaredServer): string {
  const { install, port, image } = servers[declared === 'any' ? 'redis' : declared];
  return `${install} · Docker: docker run -d -p ${port}:6379 ${image}`;
}
