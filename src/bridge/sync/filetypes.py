"""What a file is: by its name, by its first bytes, and whether the two fit together.

A name is a claim. A program that calls itself a picture would pass a rule of names, and a picture that is a web page
would run in whoever opens it; so the first bytes have the last word. Only formats that people attach to tickets are
known here; anything else is told by its name alone, unless its bytes are a program's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from fnmatch import fnmatchcase

HEAD = 4_096
"""First bytes that are looked at."""

LONGEST_NAME = 255
"""Bytes of UTF-8 that file systems and trackers take."""

BINARY = "application/octet-stream"

_EXTENSIONS = {
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp",
    "bmp": "image/bmp", "tif": "image/tiff", "tiff": "image/tiff", "svg": "image/svg+xml", "ico": "image/x-icon",
    "heic": "image/heic", "avif": "image/avif",
    "pdf": "application/pdf", "txt": "text/plain", "log": "text/plain", "md": "text/markdown", "csv": "text/csv",
    "tsv": "text/tab-separated-values", "json": "application/json", "xml": "application/xml",
    "yaml": "application/yaml", "yml": "application/yaml", "ini": "text/plain", "conf": "text/plain",
    "cfg": "text/plain", "patch": "text/x-diff", "diff": "text/x-diff", "sql": "text/x-sql", "py": "text/x-python",
    "java": "text/x-java", "c": "text/x-c", "h": "text/x-c", "cpp": "text/x-c", "rb": "text/x-ruby",
    "ics": "text/calendar", "vcf": "text/vcard", "rtf": "application/rtf", "eml": "message/rfc822",
    "html": "text/html", "htm": "text/html", "xhtml": "application/xhtml+xml", "js": "text/javascript",
    "mjs": "text/javascript", "css": "text/css", "vbs": "text/vbscript", "hta": "application/hta",
    "doc": "application/msword", "xls": "application/vnd.ms-excel", "ppt": "application/vnd.ms-powerpoint",
    "msg": "application/vnd.ms-outlook", "vsd": "application/vnd.visio",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "vsdx": "application/vnd.ms-visio.drawing", "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet", "odp": "application/vnd.oasis.opendocument.presentation",
    "zip": "application/zip", "jar": "application/java-archive", "war": "application/java-archive",
    "gz": "application/gzip", "tgz": "application/gzip", "bz2": "application/x-bzip2", "xz": "application/x-xz",
    "7z": "application/x-7z-compressed", "rar": "application/vnd.rar", "tar": "application/x-tar",
    "mp4": "video/mp4", "m4v": "video/mp4", "mov": "video/quicktime", "webm": "video/webm", "mkv": "video/x-matroska",
    "avi": "video/x-msvideo", "mp3": "audio/mpeg", "wav": "audio/wav", "ogg": "audio/ogg", "m4a": "audio/mp4",
    "exe": "application/x-dosexec", "dll": "application/x-dosexec", "msi": "application/x-msi",
    "com": "application/x-dosexec", "scr": "application/x-dosexec", "bat": "text/x-msdos-batch",
    "cmd": "text/x-msdos-batch", "ps1": "text/x-powershell", "sh": "text/x-shellscript", "bin": BINARY,
    "apk": "application/vnd.android.package-archive", "pcap": "application/vnd.tcpdump.pcap", "har": "application/json",
}  # fmt: skip

_MAGIC: tuple[tuple[bytes, int, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"GIF87a", 0, "image/gif"),
    (b"GIF89a", 0, "image/gif"),
    (b"WEBP", 8, "image/webp"),
    (b"II*\x00", 0, "image/tiff"),
    (b"MM\x00*", 0, "image/tiff"),
    (b"%PDF-", 0, "application/pdf"),
    (b"PK\x03\x04", 0, "application/zip"),
    (b"PK\x05\x06", 0, "application/zip"),
    (b"\x1f\x8b", 0, "application/gzip"),
    (b"BZh", 0, "application/x-bzip2"),
    (b"\xfd7zXZ\x00", 0, "application/x-xz"),
    (b"7z\xbc\xaf\x27\x1c", 0, "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", 0, "application/vnd.rar"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0, "application/x-ole-storage"),
    (b"MZ", 0, "application/x-dosexec"),
    (b"\x7fELF", 0, "application/x-executable"),
    (b"\xca\xfe\xba\xbe", 0, "application/x-mach-binary"),
    (b"\xfe\xed\xfa\xce", 0, "application/x-mach-binary"),
    (b"\xfe\xed\xfa\xcf", 0, "application/x-mach-binary"),
    (b"\xce\xfa\xed\xfe", 0, "application/x-mach-binary"),
    (b"\xcf\xfa\xed\xfe", 0, "application/x-mach-binary"),
    (b"#!", 0, "text/x-shellscript"),
)
_PROGRAMS = frozenset({"application/x-dosexec", "application/x-executable", "application/x-mach-binary"})
_OLE = frozenset(
    {
        "application/msword",
        "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
        "application/vnd.ms-outlook",
        "application/vnd.visio",
        "application/x-msi",
    }
)
_RECOGNISED = frozenset(kind for _, _, kind in _MAGIC) - {"text/x-shellscript"}
"""Types that are never told by their name alone."""

ACTIVE = frozenset(
    {
        "text/html",
        "application/xhtml+xml",
        "image/svg+xml",
        "text/javascript",
        "text/vbscript",
        "application/hta",
        "text/x-msdos-batch",
        "text/x-powershell",
        "text/x-shellscript",
    }
)
"""Types that can act when they are opened: they cross only where a rule names them in full."""

_WEB = re.compile(
    rb"(?:\s|<!--.*?-->|<\?xml[^>]*>|<!DOCTYPE[^>]*>)*<(html|svg|script|body|head|iframe)\b",
    re.IGNORECASE | re.DOTALL,
)
_HTML = re.compile(rb"\s*<!doctype\s+html", re.IGNORECASE)
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[<>:"|?*]')


def by_extension(name: str) -> str:
    """The media type that a name claims; "" when it claims none that is known."""
    _, dot, extension = name.rpartition(".")
    return _EXTENSIONS.get(extension.strip().casefold(), "") if dot else ""


def sniff(head: bytes) -> str:
    """The media type that the first bytes show; "" of nothing at all, ``application/octet-stream`` when unknown."""
    if not head:
        return ""
    for mark, place, kind in _MAGIC:
        if head[place : place + len(mark)] == mark:
            return kind
    if _HTML.match(head):
        return "text/html"
    if web := _WEB.match(head):
        return "image/svg+xml" if web[1].lower() == b"svg" else "text/html"
    return "text/plain" if _is_text(head) else BINARY


def judge(name: str, head: bytes, types: Sequence[str]) -> tuple[str, str]:
    """What a file is, and why it may not cross ("" when it may).

    Args:
        name: its name.
        head: its first bytes, up to :data:`HEAD`.
        types: patterns of the types that may cross; empty: all.
    """
    claimed, shown = by_extension(name), sniff(head)
    kind = claimed or shown or BINARY
    if claimed and shown and not _fits(claimed, shown):
        return shown, f"the file '{name}' is not what its name says: it is {shown}"
    if not claimed and shown in ACTIVE:
        kind = shown
    if not allowed(kind, types):
        return kind, f"the file '{name}' is of a type ({kind}) that the agreement lets not cross"
    return kind, ""


def allowed(kind: str, types: Sequence[str]) -> bool:
    """Whether a type may cross. What can act when opened must be named in full."""
    if kind in ACTIVE:
        return kind in types
    return not types or any(fnmatchcase(kind, pattern) for pattern in types)


def fit_name(name: str) -> str:
    """A file's name as it may be given to another tracker: no path, nothing invisible, not too long.

    Removed: folders, control characters, marks that turn the direction of reading (which make ``exe.png`` of
    ``gnp.exe``), what is invisible. Names that Windows keeps for devices get a line before them.
    """
    bare = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    seen = "".join(sign for sign in bare if unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Zl", "Zp"})
    words = _FORBIDDEN.sub("_", " ".join(seen.split())).strip(" .") if set(seen) - {".", " "} else ""
    if bare.startswith(".") and words:
        words = f".{words}"
    if _RESERVED.fullmatch(words):
        words = f"_{words}"
    return _shortened(words) or "file"


def _shortened(name: str) -> str:
    if len(name.encode()) <= LONGEST_NAME:
        return name
    stem, dot, extension = name.rpartition(".")
    tail = f".{extension}" if dot and stem and len(extension.encode()) <= 20 else ""  # noqa: PLR2004 - longer is none
    room = LONGEST_NAME - len(tail.encode())
    return (stem if tail else name).encode()[:room].decode(errors="ignore").rstrip(" .") + tail


def _fits(claimed: str, shown: str) -> bool:
    """Whether first bytes are what a name claims."""
    if shown in _PROGRAMS:
        return claimed == shown
    if shown == "application/zip":
        return claimed == shown or (
            claimed.startswith(("application/vnd.", "application/java-archive")) and (claimed not in _OLE)
        )
    if shown == "application/x-ole-storage":
        return claimed in _OLE
    if shown in _RECOGNISED:
        # One picture for another is an honest mistake of many programs.
        return claimed == shown or (shown.startswith("image/") and claimed.startswith("image/"))
    if shown == BINARY:
        return claimed not in _RECOGNISED and not is_textual(claimed)
    if shown in {"text/html", "image/svg+xml"}:
        return is_textual(claimed) and (claimed in ACTIVE or not claimed.startswith("image/"))
    return is_textual(claimed)


def is_textual(kind: str) -> bool:
    """Whether a media type is one of texts."""
    return kind.startswith(("text/", "message/")) or kind in {
        "application/json",
        "application/xml",
        "application/yaml",
        "application/rtf",
        "application/xhtml+xml",
        "application/hta",
        "image/svg+xml",
    }


def _is_text(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    if b"\x00" in head:
        return False
    controls = sum(byte < 0x20 and byte not in b"\t\n\r\x0c\x1b" for byte in head)  # noqa: PLR2004 - a space
    return controls == 0
