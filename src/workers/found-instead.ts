/** What the system's error codes mean where a file or a folder was expected. */
const meanings: Readonly<Record<string, string>> = {
  EISDIR: 'a folder',
  ENOTDIR: 'a file in place of a folder',
  EEXIST: 'a file of the same name',
  EACCES: 'one that this user may not use',
  EPERM: 'one that this user may not use',
  EROFS: 'one on a disk that is read-only',
  ELOOP: 'links that lead in a circle',
  ENAMETOOLONG: 'a name that is too long',
  ENOSPC: 'a disk that is full',
  EDQUOT: 'a disk quota that is used up',
  EFBIG: 'a limit on the size of files (ulimit -f)',
};

/** What was found in place of a file or a folder, to follow "found": Node's text repeats the path and names a system call. */
export function foundInstead(error: unknown, expected: 'file' | 'folder' = 'file'): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT') return `no such ${expected}`;
  return (
    meanings[code] ?? `one that cannot be used (${code || (error instanceof Error ? error.message : error)})`
  );
}
