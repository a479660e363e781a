/** Why a file cannot be had, in words for whoever named it. */
export const fileReason = (error: unknown): string =>
  error instanceof Error && "code" in error ? reasons[String(error.code)] ?? error.message : String(error)

const reasons: Record<string, string> = {
  ENOENT: "its folder does not exist",
  EACCES: "this user may not",
  EROFS: "it is on a disk that is read-only",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of its path is no folder",
  EEXIST: "it exists already",
  ENOSPC: "the disk is full"
}
