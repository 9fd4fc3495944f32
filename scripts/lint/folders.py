"""No folder holds more than 20 files: what changes together gets a folder of its own."""

import collections
import fnmatch

from support import finish, tracked_files

LIMIT = 20
# Folders of data, where a file is an entry and nobody looks for a place.
DATA = ("test/fuzz/corpus/*", "docs/decisions")


def main():
    counts = collections.Counter(str(path.parent) for path in tracked_files())
    finish(f"{folder}: {count} files, more than {LIMIT}" for folder, count in sorted(counts.items())
           if count > LIMIT and not any(fnmatch.fnmatch(folder, data) for data in DATA))


main()
