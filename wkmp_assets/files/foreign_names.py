"""The names of folders and files that systems put beside music: thumbnails, snapshots, recycle bins.

Each name is one that a program gives by itself. A name that an artist or an album could have is not in the table:
`Recycler` is an album, so the recycle bin of Windows XP is known by the folders inside it (`S-1-5-21-...`).
"""

_FOLDERS = (
    # Synology, QNAP, ASUSTOR and TerraMaster
    "@eaDir", "#recycle", "#snapshot", "@tmp", "@sharebin", "@Recycle", "@Recently-Snapshot", ".@__thumb", "@__thumb",
    "@Transcode", "@SynoResource", "@synologydrive", "@SynoDrive",
    # snapshots of NetApp, ZFS, Btrfs and Windows
    ".snapshot", ".snapshots", "~snapshot", "@snapshots", ".zfs",
    # Windows
    "$RECYCLE.BIN", "System Volume Information",
    # ReadyNAS and Buffalo
    "Recycle Bin", "trashbox",
    # macOS and its file servers
    ".Trashes", ".Spotlight-V100", ".fseventsd", ".AppleDouble", ".AppleDB", ".AppleDesktop", ".TemporaryItems",
    ".DocumentRevisions-V100", "__MACOSX", "Network Trash Folder", "TheVolumeSettingsFolder",
    "TheFindByContentFolder",
    # Linux and Samba
    "lost+found", ".Trash", ".recycle",
    # programs that copy folders to other machines
    ".stfolder", ".stversions", ".sync", ".dropbox.cache",
    # programs for source code
    ".git", ".svn", "node_modules",
)  # fmt: skip
_FOLDER_BEGINNINGS = (".Trash-", "S-1-5-21-")
"""The bin of one user, on Linux and on Windows."""
_FILE_BEGINNINGS = ("._",)
"""What macOS keeps beside a file on a foreign disk. It has the file's name and ending."""
HIDDEN = ".*"
"""The pattern of every other hidden name."""

_FOLDER_BY_NAME = {name.lower(): name for name in _FOLDERS}
_FOLDER_BY_BEGINNING = {beginning.lower(): f"{beginning}*" for beginning in _FOLDER_BEGINNINGS}


def find_foreign_folder(name: str) -> str | None:
    """Return the pattern that a folder's name matches, in any case; None for a folder that may hold music.

    Examples
    --------
    >>> find_foreign_folder("@EADIR"), find_foreign_folder(".trash-1000"), find_foreign_folder("...And Oceans")
    ('@eaDir', '.Trash-*', None)
    """
    lower = name.lower()
    if lower in _FOLDER_BY_NAME:
        return _FOLDER_BY_NAME[lower]
    for beginning, pattern in _FOLDER_BY_BEGINNING.items():
        if lower.startswith(beginning):
            return pattern
    return find_foreign_file(name)


def find_foreign_file(name: str) -> str | None:
    """Return the pattern that a file's name matches; None for a file that may be music.

    A leading ellipsis (`...And Oceans`) belongs to a title and hides nothing.

    Examples
    --------
    >>> find_foreign_file("._01 Song.mp3"), find_foreign_file(".song.mp3"), find_foreign_file("song.mp3")
    ('._*', '.*', None)
    """
    if not name.startswith("."):
        return None
    if name.startswith(_FILE_BEGINNINGS):
        return f"{_FILE_BEGINNINGS[0]}*"
    return None if name.startswith("..") else HIDDEN
